using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Agnes.Cli.Workspace;

namespace Agnes.Cli.Sessions;

/// <summary>
/// The sessions that wait to be uploaded. Hooks append lines; a push takes the file over by renaming it, so that what is captured meanwhile goes to a
/// fresh one, and what a killed push left is found by its name.
/// </summary>
internal sealed class SessionQueue(Layout layout, TimeProvider clock)
{
    private const string SnapshotPrefix = "agnes-sessions.snapshot.";
    private static readonly TimeSpan LockWaitMax = TimeSpan.FromSeconds(2);

    /// <exception cref="IOException">The file cannot be written, or stays locked.</exception>
    public void Append(IReadOnlyCollection<SessionEntry> entries)
    {
        if (entries.Count == 0) return;
        Directory.CreateDirectory(layout.Claude);
        using var locked = Lock();
        AppendLine(layout.SessionQueue, string.Join('\n', entries));
    }

    /// <summary>Files taken over by an earlier push that did not end, oldest first, and then the queue as it is now.</summary>
    public IReadOnlyList<string> TakeOver()
    {
        if (!Directory.Exists(layout.Claude)) return [];
        var files = Leftovers();
        if (!File.Exists(layout.SessionQueue)) return files;
        using var locked = Lock();
        if (!File.Exists(layout.SessionQueue)) return files;
        var mine = Path.Combine(layout.Claude, string.Create(CultureInfo.InvariantCulture, $"{SnapshotPrefix}{Environment.ProcessId}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}.txt"));
        File.Move(layout.SessionQueue, mine);
        return [.. files, mine];
    }

    /// <summary>What waits, without taking anything.</summary>
    public IReadOnlyList<SessionEntry> Peek()
    {
        if (!Directory.Exists(layout.Claude)) return [];
        IEnumerable<string> files = File.Exists(layout.SessionQueue) ? [.. Leftovers(), layout.SessionQueue] : Leftovers();
        return SessionEntry.Parse(files.SelectMany(Lines));
    }

    public static List<SessionEntry> Read(string file) => SessionEntry.Parse(Lines(file));

    /// <summary>Sessions that are never uploaded. Read anew whenever it decides something: consent can be withdrawn at any time.</summary>
    public HashSet<string> PrivateIds() =>
        File.Exists(layout.SessionsPrivate) ? [.. Lines(layout.SessionsPrivate).Select(line => line.Trim()).Where(line => line.Length > 0)] : [];

    /// <returns>False: it was marked before.</returns>
    public bool MarkPrivate(string id)
    {
        Directory.CreateDirectory(layout.Claude);
        using var locked = Lock();
        if (PrivateIds().Contains(id)) return false;
        AppendLine(layout.SessionsPrivate, id);
        return true;
    }

    /// <summary>A line into one of the logs beside the queue: time, then the fields.</summary>
    public void Log(string file, params ReadOnlySpan<string> fields) =>
        AppendLine(file, $"{clock.GetUtcNow().UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}\t{string.Join('\t', fields)}");

    private FileStream Lock() => FileLock.TryTake(layout, layout.QueueLock, LockWaitMax, clock) ?? throw new IOException($"{layout.QueueLock} stays locked.");

    private List<string> Leftovers() => [.. Directory.EnumerateFiles(layout.Claude, SnapshotPrefix + "*.txt").Order(StringComparer.Ordinal)];

    private static string[] Lines(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (FileNotFoundException)
        {
            // Another push took it over between the look and the reading.
            return [];
        }
    }

    /// <summary>One write for the whole line, so that lines of many processes never mix. A line that a crash left half done is ended first.</summary>
    private void AppendLine(string file, string line)
    {
        using var stream = WorkspaceFile.Open(layout, file);
        var isOpen = false;
        if (stream.Length > 0)
        {
            stream.Seek(-1, SeekOrigin.End);
            isOpen = stream.ReadByte() != '\n';
        }

        stream.Seek(0, SeekOrigin.End);
        stream.Write(Encoding.UTF8.GetBytes($"{(isOpen ? "\n" : "")}{line}\n"));
    }
}
