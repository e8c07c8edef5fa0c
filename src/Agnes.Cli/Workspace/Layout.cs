using Agnes.Protocol;

namespace Agnes.Cli.Workspace;

/// <summary>Where things are in a workspace. Only these paths are ever written.</summary>
internal sealed record Layout(string Root)
{
    public string Server => Path.Combine(Root, "server");

    /// <summary>Immutable files named by their SHA-256, in one folder, so that one listing tells what is there.</summary>
    public string Parts => Path.Combine(Server, "parts");

    public string Incoming => Path.Combine(Parts, ".incoming");

    /// <summary>The same files under names that people and other tools know.</summary>
    public string Parquet => Path.Combine(Server, "parquet");

    public string DatabaseFolder => Path.Combine(Root, "user", "duckdb");

    public string Database => Path.Combine(DatabaseFolder, "analytics.duckdb");

    public string Snapshots => Path.Combine(Root, "user", "snapshots");

    /// <summary>The one place where an agent's query may leave a file.</summary>
    public string Exports => Path.Combine(Root, "user", "exports");

    public string Claude => Path.Combine(Root, ".claude");

    public string Settings => Path.Combine(Claude, "settings.json");

    /// <summary>Sessions to upload, a line each: id, tab, path of the transcript.</summary>
    public string SessionQueue => Path.Combine(Claude, "agnes-sessions.txt");

    public string SessionsUploaded => Path.Combine(Claude, "agnes-sessions-uploaded.txt");

    public string SessionsFailed => Path.Combine(Claude, "agnes-sessions-failed.txt");

    /// <summary>Ids of sessions that are never uploaded.</summary>
    public string SessionsPrivate => Path.Combine(Claude, "agnes-sessions-private.txt");

    public string SessionsPrivateSkipped => Path.Combine(Claude, "agnes-sessions-private-skipped.txt");

    public string CaptureLog => Path.Combine(Claude, "agnes-capture-session.log");

    public string QueueLock => Path.Combine(Claude, "agnes-queue.lock");

    public string PushLock => Path.Combine(Claude, "agnes-push.lock");

    /// <summary>What the agent offers as commands of ours.</summary>
    public string Commands => Path.Combine(Claude, "commands");

    public string LocalNotes => Path.Combine(Claude, "CLAUDE.local.md");

    public string State => Path.Combine(Claude, "agnes-sync-state.json");

    public string PullLock => Path.Combine(Claude, "agnes-pull.lock");

    public string Sentinel => Path.Combine(Claude, "init-complete");

    public string ClaudeMd => Path.Combine(Root, "CLAUDE.md");

    public string Guide => Path.Combine(Root, "AGNES_WORKSPACE.md");

    /// <summary>The SHA-256 of the last texts that we wrote to CLAUDE.md, a line each: another text is the user's.</summary>
    public string InstructionsHash => Path.Combine(Claude, "agnes-instructions.sha256");

    /// <summary>The server's instructions, where the user edited CLAUDE.md. Not a name that the agent reads by itself.</summary>
    public string ServerInstructions => Path.Combine(Claude, "agnes-instructions.md");

    /// <summary><c>AGNES_LOCAL_DIR</c>; else the workspace that the current folder is in; else the current folder.</summary>
    public static Layout Current()
    {
        var set = Environment.GetEnvironmentVariable("AGNES_LOCAL_DIR");
        if (!string.IsNullOrWhiteSpace(set)) return new Layout(Path.GetFullPath(set));
        var here = Environment.CurrentDirectory;
        // An agent changes into folders of its work; the tables are still those of the workspace around it.
        for (var at = here; at is not null; at = Path.GetDirectoryName(at))
        {
            var layout = new Layout(at);
            if (File.Exists(layout.Sentinel) || File.Exists(layout.State)) return layout;
        }

        return new Layout(here);
    }

    /// <summary>Takes the rights of other users from the folders that hold data and what was said about it. The workspace's root is the user's own affair.</summary>
    /// <returns>What was mended, a line each.</returns>
    /// <exception cref="CliException">One of them is another user's, and others can open it.</exception>
    public IReadOnlyList<string> Close()
    {
        var mended = new List<string>();
        foreach (var folder in (string[])[Server, Path.Combine(Root, "user"), Claude])
        {
            try
            {
                if (!Directory.Exists(folder)) continue;
                var real = RealFolder.Of(folder); // a link keeps its rights to itself: what counts is where it leads
                if (OwnerOnly.IsOpen(real) && OwnerOnly.IsOurs(real)) OwnerOnly.CloseBelow(real);
                if (OwnerOnly.Close(real) is { } was) mended.Add($"other users could open {folder} (mode {OwnerOnly.Octal(was)}); it is closed to them now");
            }
            catch (UnauthorizedAccessException problem)
            {
                throw new CliException($"{folder} cannot be closed to other users: {problem.Message}", ExitCode.Failed, problem) { Hint = "Use a folder of your own for the workspace." };
            }
        }

        return mended;
    }

    /// <summary>None of our folders may be, or lie behind, a link: what is made, replaced and removed in them is ours.</summary>
    /// <exception cref="UnauthorizedAccessException">One is.</exception>
    public void RefuseLinks() => WorkspaceFile.RequireOwn(this, Incoming, Parquet, DatabaseFolder, Snapshots, Commands);

    /// <exception cref="ArgumentException">Not the hex of a SHA-256: it came from outside and is about to become a path.</exception>
    public string PartPath(string sha256) => Identifiers.IsSha256(sha256)
        ? Path.Combine(Parts, sha256 + ".parquet")
        : throw new ArgumentException("A part is named by its SHA-256.", nameof(sha256));

    /// <exception cref="CliException">A place where a workspace would be a nuisance or a danger.</exception>
    public void RefuseUnsafe()
    {
        var home = Path.TrimEndingDirectorySeparator(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify));
        var here = Path.TrimEndingDirectorySeparator(Root);
        var isAboveHome = home.Length > 0 && (here == home || home.StartsWith(Path.EndsInDirectorySeparator(Root) ? Root : here + Path.DirectorySeparatorChar, StringComparison.Ordinal));
        var isPrivate = here.Split(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar).Any(segment => segment is ".git" or ".ssh" or ".gnupg");
        if (new DirectoryInfo(Claude) is { Exists: true, LinkTarget: { } target })
        {
            throw new CliException($"{Claude} is a link to {target}: our hooks and permissions would hold there too.", ExitCode.Usage) { Hint = "Remove the link, or use another folder." };
        }

        if (isAboveHome || isPrivate || Path.GetPathRoot(Root) == Root || SystemFolders.Contains(here, StringComparer.Ordinal))
        {
            throw new CliException($"{Root} is no place for a workspace: it would fill with tables and agent settings.", ExitCode.Usage)
            {
                Hint = "Make a folder for it: mkdir analysis && cd analysis",
            };
        }
    }

    private static readonly string[] SystemFolders =
        ["/bin", "/boot", "/dev", "/etc", "/lib", "/opt", "/proc", "/root", "/run", "/sbin", "/sys", "/tmp", "/usr", "/usr/local", "/var", "/Applications", "/Library", "/System", "/Users", @"C:\Windows", @"C:\Users", @"C:\Program Files"];
}
