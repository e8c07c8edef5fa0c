using System.Text;
using Agnes.Cli.Workspace;

namespace Agnes.Cli.Sessions;

/// <summary>
/// What the agent runs at each start, at each redraw of its prompt, or in the middle of a session. They come before the command tree: no network, no
/// engine, nothing on stdout that was not asked for, and never a failure that would disturb the agent.
/// </summary>
internal static class HookCommands
{
    public const string PrivateMark = "🔒 agnes-private";

    private const int DetailCharactersMax = 200;
    private const long CaptureLogBytesMax = 256 << 10;
    private static readonly TimeSpan OldAfter = TimeSpan.FromHours(24);

    /// <returns>The exit code, or null: the command line is another one.</returns>
    public static int? TryRun(string[] args, TimeProvider clock) => args switch
    {
        ["statusline"] => StatusLine(clock),
        ["capture-session"] => Capture(clock, isVerbose: false),
        ["capture-session", "--verbose"] => Capture(clock, isVerbose: true),
        ["mark-private"] => MarkPrivate(clock),
        _ => null,
    };

    public static int StatusLine(TimeProvider clock)
    {
        try
        {
            var layout = Layout.Current();
            var (input, _) = HookInput.Read();
            var isPrivate = input?.SessionId is { } id && new SessionQueue(layout, clock).PrivateIds().Contains(id);
            if ((isPrivate ? PrivateMark : Freshness(layout, clock.GetUtcNow())) is { } text)
            {
                using var stdout = Console.OpenStandardOutput();
                stdout.Write(Encoding.UTF8.GetBytes(text + "\n"));
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // A prompt without our line is better than one with an error in it.
            return ExitCode.Ok;
        }

        return ExitCode.Ok;
    }

    /// <summary>How old the workspace's tables are; the state file's own time is that of the last pull that reached the server.</summary>
    public static string? Freshness(Layout layout, DateTimeOffset now)
    {
        var state = new FileInfo(layout.State);
        if (!state.Exists) return null;
        var age = now.UtcDateTime - state.LastWriteTimeUtc;
        return age > OldAfter ? $"⚠ agnes: pulled {Age(age)} ago (agnes pull)" : $"agnes: pulled {Age(age)} ago";
    }

    public static string Age(TimeSpan age) => age switch
    {
        { TotalMinutes: < 1 } => "moments",
        { TotalHours: < 1 } => $"{(int)age.TotalMinutes} min",
        { TotalDays: < 2 } => $"{(int)age.TotalHours} h",
        _ => $"{(int)age.TotalDays} days",
    };

    public static int Capture(TimeProvider clock, bool isVerbose)
    {
        var (input, problem) = HookInput.Read();
        var layout = Layout.Current();
        var queue = new SessionQueue(layout, clock);
        var (outcome, detail) = problem is not null ? (problem, "") : Capture(queue, input!);
        Breadcrumb(layout, clock, outcome, detail);
        if (isVerbose) Say($"capture-session: {outcome}{(detail.Length > 0 ? $": {detail}" : "")}");
        return ExitCode.Ok;
    }

    public static int MarkPrivate(TimeProvider clock)
    {
        var id = Environment.GetEnvironmentVariable("CLAUDE_CODE_SESSION_ID")?.Trim();
        if (string.IsNullOrEmpty(id) || id.AsSpan().ContainsAny('\t', '\n', '\r'))
        {
            Say("Error: CLAUDE_CODE_SESSION_ID is not set; this runs inside a session of the agent (type /agnes-private there).");
            return ExitCode.Failed;
        }

        try
        {
            var isNew = new SessionQueue(Layout.Current(), clock).MarkPrivate(id);
            using var stdout = Console.OpenStandardOutput();
            stdout.Write(Encoding.UTF8.GetBytes(isNew ? "This session is private now: its transcript will not be uploaded.\n" : "This session was private already.\n"));
            return ExitCode.Ok;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            Say($"Error: the session could not be marked private: {problem.Message}");
            return ExitCode.Failed;
        }
    }

    private static (string Outcome, string Detail) Capture(SessionQueue queue, HookInput input)
    {
        if (input.TranscriptPath is not { } path) return ("no_transcript_path", "");
        var id = input.SessionId ?? "";
        try
        {
            if (id.Length > 0 && queue.PrivateIds().Contains(id)) return ("private_skip", id);
            queue.Append([new SessionEntry(id, path)]);
            return ("ok", id.Length > 0 ? id : "(no-sid)");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return ("write_error", problem.Message);
        }
    }

    /// <summary>So that a session that was not captured can be explained later.</summary>
    private static void Breadcrumb(Layout layout, TimeProvider clock, string outcome, string detail)
    {
        if (!Directory.Exists(layout.Claude)) return;
        try
        {
            if (new FileInfo(layout.CaptureLog) is { Exists: true, Length: > CaptureLogBytesMax }) File.Delete(layout.CaptureLog);
            var clean = detail.Replace('\t', ' ').Replace('\n', ' ').Replace('\r', ' ');
            if (clean.Length > DetailCharactersMax) clean = clean[..DetailCharactersMax];
            using var log = WorkspaceFile.Open(layout, layout.CaptureLog);
            log.Seek(0, SeekOrigin.End);
            log.Write(Encoding.UTF8.GetBytes($"{clock.GetUtcNow():yyyy-MM-dd'T'HH:mm:sszzz}\t{outcome}\t{clean}\n"));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // There is nowhere left to say it.
            return;
        }
    }

    private static void Say(string text)
    {
        using var stderr = Console.OpenStandardError();
        stderr.Write(Encoding.UTF8.GetBytes(text + "\n"));
    }
}
