using System.Globalization;
using Agnes.Engine.Extracts;

namespace Agnes.Connectors.Files;

/// <summary>Which files of a table a run would read, without opening one.</summary>
internal static class FileForecast
{
    /// <exception cref="TableException">There are none, or they are not to be told apart.</exception>
    public static TableForecast Of(string root, TableConfig table, ExtractTable? previous)
    {
        var settings = FileSettings.Of(table.Settings);
        var files = FileSet.Resolve(root, table);
        var changed = files.Where(file => previous?.Files.Any(earlier => IsSame(earlier, file, settings)) != true).ToList();
        var isSame = changed.Count == 0 && previous?.Files.Count == files.Count;
        return new TableForecast(table.Name, isSame ? "unchanged" : "changed_files")
        {
            Bytes = changed.Sum(file => file.Stamp.Size),
            Note = string.Create(CultureInfo.InvariantCulture, $"{changed.Count} of {files.Count} files are new or changed"),
        };
    }

    private static bool IsSame(SourceFile earlier, InputFile file, FileSettings settings) =>
        earlier.Path == file.Path && earlier.Stamp == file.Stamp && (earlier.ReadAs ?? "") == TableLoad.ReadAs(settings, file);
}
