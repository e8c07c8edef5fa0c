using System.Text.RegularExpressions;

namespace Agnes.Tidy;

/// <summary>What leaves a laptop by itself goes through one function that decides: a file that another way would open is found here, before it is sent.</summary>
public sealed partial class UploadTests
{
    private const string Sessions = "src/Agnes.Cli/Sessions/";

    /// <summary>Who may open files beside the function: what they open is fixed, the queue and its locks, or the descriptor that the function gave them.</summary>
    private static readonly string[] Openers = ["OwnFile.cs", "SessionQueue.cs", "HookCommands.cs"];

    [Fact]
    public void A_push_opens_what_it_sends_through_the_one_function()
    {
        var found =
            from file in Repository.Sources(Sessions, ".cs")
            where !Openers.Contains(Path.GetFileName(file.Path), StringComparer.Ordinal)
            from line in file.Lines
            where Opens().IsMatch(line)
            select $"{file.Path}: {line.Trim()}";
        found.ShouldBeEmpty();
        Repository.Sources(Sessions, ".cs").Count(file => file.Lines.Any(line => line.Contains("OwnFile.Transcript(", StringComparison.Ordinal))).ShouldBe(1, "the pusher, and nobody else");
    }

    [Fact]
    public void An_upload_takes_no_path()
    {
        var sources = Repository.Sources("src/Agnes.Cli", ".cs").ToList();
        var forms = sources.Where(file => file.Lines.Any(line => Form().IsMatch(line))).Select(file => file.Path);
        forms.ShouldBe(["src/Agnes.Cli/Api/ApiClient.cs"], "one place makes forms");
        var upload = sources.Single(file => file.Path.EndsWith("/UploadedFile.cs", StringComparison.Ordinal));
        upload.Lines.ShouldContain(line => line.Contains("public UploadedFile(OwnFile file", StringComparison.Ordinal));
        upload.Lines.ShouldNotContain(line => Opens().IsMatch(line));
        sources.Single(file => file.Path.EndsWith("/OwnFile.cs", StringComparison.Ordinal)).Lines.ShouldContain(line => line.Contains("private OwnFile(", StringComparison.Ordinal), "nobody else makes one");
        // Files that an admin names on the command line; no hook and no agent's permission runs these.
        sources.Where(file => file.Lines.Any(line => line.Contains(".PostFilesAsync(", StringComparison.Ordinal))).ShouldAllBe(file => file.Path.StartsWith("src/Agnes.Cli/Commands/Admin/", StringComparison.Ordinal));
    }

    [GeneratedRegex(@"\bFile\.(Open|Read)|\bnew (FileStream|StreamReader)\b|\.Open(Read|Text)?\(\)|\bPlainFile\.")]
    private static partial Regex Opens();

    [GeneratedRegex(@"\b(new (MultipartFormDataContent|StreamContent|UploadedFile))\b")]
    private static partial Regex Form();
}
