using System.Text.RegularExpressions;

namespace Agnes.Tidy;

/// <summary>A table of the state is written by one folder: who changes a row's meaning has to look in one place.</summary>
public sealed partial class StateTableTests
{
    /// <summary>What keeps the state itself: migrations, backups, restores.</summary>
    private const string Keeper = "Agnes.Server.Platform.State";

    /// <summary>Table and the folders that still write it beside the first; the list may only shrink.</summary>
    private static readonly Dictionary<string, string[]> Shared = new(StringComparer.Ordinal);

    [Fact]
    public void One_folder_writes_a_table()
    {
        var writers =
            from use in Compiled.Uses
            where use.Assembly == "agnes-server" && use.Kind == UseKind.Text && use.Namespace != Keeper && !use.Namespace.StartsWith($"{Keeper}.", StringComparison.Ordinal)
            from Match match in Writing().Matches(use.Used)
            group Folder(use.Namespace) by match.Groups["table"].Value into folders
            select (Table: folders.Key, Folders: folders.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray());
        var all = writers.ToDictionary(writer => writer.Table, writer => writer.Folders, StringComparer.Ordinal);
        all.Count.ShouldBeGreaterThan(20);
        all.Where(writer => writer.Value.Length > 1 && !writer.Value.SequenceEqual(Shared.GetValueOrDefault(writer.Key, []), StringComparer.Ordinal))
            .Select(writer => $"{writer.Key}: {string.Join(", ", writer.Value)}").ShouldBeEmpty();
        Shared.Keys.Where(table => !all.TryGetValue(table, out var folders) || folders.Length < 2).ShouldBeEmpty("written by one folder now: take it out of the list");
    }

    private static string Folder(string space) => string.Join('.', space.Split('.').Skip(2).Take(2));

    [GeneratedRegex(@"\b(INSERT INTO|UPDATE|DELETE FROM)\s+(?<table>[a-z][a-z_]+)\b(?!\.)", RegexOptions.ExplicitCapture)]
    private static partial Regex Writing();
}
