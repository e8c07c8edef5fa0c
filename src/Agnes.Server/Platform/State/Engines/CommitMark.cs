using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Agnes.Server.Platform.State.Engines;

/// <summary>
/// The number of the last commit, in a file of its own beside the embedded engine's: a log that was cut off or deleted opens without an error, as if the commits in it had
/// never been. Two slots are written in turn, so that one is whole at any moment.
/// </summary>
internal sealed class CommitMark : IDisposable
{
    public const string FileName = "state.version";
    private const int SlotBytes = 64;

    private readonly SafeFileHandle _file;

    private CommitMark(SafeFileHandle file) => _file = file;

    public static CommitMark Open(string path)
    {
        var mark = new CommitMark(File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read));
        if (RandomAccess.GetLength(mark._file) == 0)
        {
            mark.WriteSlot(0, 0);
            mark.WriteSlot(1, 0);
        }
        return mark;
    }

    /// <returns>Nothing when there is no file, or no whole slot in it.</returns>
    public static long? Read(string path)
    {
        if (!File.Exists(path)) return null;
        var slots = File.ReadAllBytes(path).Chunk(SlotBytes).Select(Parse);
        return slots.Max();
    }

    public void Write(long commits) => WriteSlot((int)(commits & 1), commits);

    public void Dispose() => _file.Dispose();

    private void WriteSlot(int slot, long commits)
    {
        Span<byte> line = stackalloc byte[SlotBytes];
        var text = string.Create(CultureInfo.InvariantCulture, $"commits {commits:D19} ");
        var length = Encoding.ASCII.GetBytes($"{text}{Checksum(text):x8}", line);
        line[length..].Fill((byte)' ');
        line[^1] = (byte)'\n';
        RandomAccess.Write(_file, line, slot * SlotBytes);
        RandomAccess.FlushToDisk(_file);
    }

    private static long? Parse(byte[] slot)
    {
        var words = Encoding.ASCII.GetString(slot).Split(' ', '\n');
        if (words is not ["commits", var digits, var checksum, ..]) return null;
        return checksum == $"{Checksum($"commits {digits} "):x8}" && long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var commits) ? commits : null;
    }

    /// <summary>FNV-1a: enough to tell a torn line from a whole one.</summary>
    private static uint Checksum(string text) => text.Aggregate(2166136261u, (hash, letter) => unchecked((hash ^ letter) * 16777619u));
}
