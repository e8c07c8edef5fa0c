namespace Agnes.Tidy;

/// <summary>Sizes as a ratchet: a file may be listed with the size it has, and that number only ever goes down.</summary>
public sealed class SizeTests
{
    private const int FileLinesMax = 400;

    /// <summary>Path → lines allowed. Lower a number when its file shrinks; take it out when it fits.</summary>
    private static readonly Dictionary<string, int> LargerFiles = new(StringComparer.Ordinal);

    [Fact]
    public void Files_stay_readable_in_one_go()
    {
        var tooLong =
            from folder in (string[])["src", "tests"]
            from file in Repository.Sources(folder, ".cs", ".razor", ".js", ".css", ".sql")
            let allowed = LargerFiles.GetValueOrDefault(file.Path, FileLinesMax)
            where file.Lines.Length > allowed
            select $"{file.Path}: {file.Lines.Length} lines, {allowed} allowed";
        tooLong.ShouldBeEmpty();
    }

    [Fact]
    public void The_list_of_larger_files_only_shrinks()
    {
        var stale =
            from entry in LargerFiles
            let path = Path.Combine(Repository.Root, entry.Key)
            let lines = File.Exists(path) ? File.ReadAllLines(path).Length : 0
            where lines <= FileLinesMax || lines < entry.Value - 20
            select $"{entry.Key}: has {lines} lines, listed with {entry.Value}";
        stale.ShouldBeEmpty();
    }
}
