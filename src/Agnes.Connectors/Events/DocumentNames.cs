using System.Text;

namespace Agnes.Connectors.Events;

/// <summary>
/// Which document a thing is in that has another, lasting name. A thousand files for all of them, each a log of lines <c>NAME KEY</c> of which the last counts: a file for
/// each name cost more than the document itself. A line that a kill cut off is not there.
/// </summary>
/// <param name="folder">Of the files.</param>
internal sealed class DocumentNames(string folder)
{
    private const int SuffixLength = 3;
    private readonly Dictionary<string, byte[]> _read = new(StringComparer.Ordinal); // whole lines, of one batch: a thousand at most
    private readonly Dictionary<string, string> _set = new(StringComparer.Ordinal); // of one batch

    /// <param name="name">Without spaces and line ends; the caller has proven that it can be the name of a file.</param>
    public string? Find(string name)
    {
        if (_set.TryGetValue(name, out var key)) return key;
        var lines = LinesOf(FileOf(name)).AsSpan();
        var wanted = Encoding.ASCII.GetBytes($"\n{name} ");
        var at = lines.LastIndexOf(wanted);
        if (at < 0 && !lines.StartsWith(wanted.AsSpan(1))) return null;
        var rest = lines[(at < 0 ? wanted.Length - 1 : at + wanted.Length)..];
        return Encoding.UTF8.GetString(rest[..rest.IndexOf((byte)'\n')]);
    }

    public void Set(string name, string key)
    {
        if (Find(name) != key) _set[name] = key;
    }

    /// <summary>Writes what was set, and forgets what was read.</summary>
    public void Save()
    {
        if (_set.Count > 0) Directory.CreateDirectory(folder);
        foreach (var added in _set.GroupBy(one => FileOf(one.Key), StringComparer.Ordinal))
        {
            var whole = LinesOf(added.Key).Length;
            using var file = File.OpenHandle(Path.Combine(folder, added.Key), FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
            if (RandomAccess.GetLength(file) > whole) RandomAccess.SetLength(file, whole);
            RandomAccess.Write(file, Encoding.UTF8.GetBytes(string.Concat(added.Select(one => $"{one.Key} {one.Value}\n"))), whole);
        }

        _set.Clear();
        _read.Clear();
    }

    private static string FileOf(string name) => name.Length > SuffixLength ? name[^SuffixLength..] : name;

    private byte[] LinesOf(string file)
    {
        if (_read.TryGetValue(file, out var lines)) return lines;
        try
        {
            lines = File.ReadAllBytes(Path.Combine(folder, file));
            var whole = lines.AsSpan().LastIndexOf((byte)'\n') + 1;
            if (whole < lines.Length) lines = lines[..whole];
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            lines = [];
        }

        return _read[file] = lines;
    }
}
