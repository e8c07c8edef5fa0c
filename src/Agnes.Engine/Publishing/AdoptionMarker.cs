using System.Globalization;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;

namespace Agnes.Engine.Publishing;

/// <summary>
/// A note, written before a source from outside is opened and removed after: if it is still there, the process that opened the source has died of it
/// (or beside it). A source that was there at two deaths, or at one crash that was seen, is left alone until any of its files changes.
/// </summary>
internal sealed class AdoptionMarker(DataFolder folder, string source)
{
    private const int StrikesMax = 2;
    private string _previous = "";

    private string Path => System.IO.Path.Combine(folder.Scratch, Scratch.AdoptingFolder, source);

    /// <returns>False when the source is to be left alone.</returns>
    public bool Begin(string digest)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
        _previous = Read() is { } lines && lines.Digest == digest ? $"{digest} {lines.Strikes}" : "";
        var strikes = _previous.Length > 0 ? Read()!.Value.Strikes : 0;
        if (strikes >= StrikesMax) return false;
        Write(digest, strikes + 1);
        return true;
    }

    public void End()
    {
        if (Exists) File.Delete(Path);
    }

    /// <summary>The worker ends for a reason that has nothing to do with the source.</summary>
    public void Withdraw()
    {
        if (_previous.Length == 0) End();
        else File.WriteAllText(Path, _previous);
    }

    /// <summary>The worker crashed while it read the source, and the parent saw it.</summary>
    public void Block()
    {
        if (Read() is { } lines) Write(lines.Digest, StrikesMax);
    }

    public bool Exists => File.Exists(Path);

    private void Write(string digest, int strikes)
    {
        File.WriteAllText($"{Path}.tmp", string.Create(CultureInfo.InvariantCulture, $"{digest} {strikes}"));
        FileSystem.Replace($"{Path}.tmp", Path);
    }

    private (string Digest, int Strikes)? Read()
    {
        if (!File.Exists(Path)) return null;
        var words = File.ReadAllText(Path).Split(' ');
        return words.Length == 2 && int.TryParse(words[1], CultureInfo.InvariantCulture, out var strikes) ? (words[0], strikes) : null;
    }
}
