using Agnes.Engine.Limits;
using Agnes.Engine.Limits.Walls;
using Agnes.Engine.Parts;
using Agnes.Protocol;

namespace Agnes.Engine.Extracts;

/// <summary>What an extract worker may reach, by what it was asked for. Never the state.</summary>
internal static class ExtractReach
{
    /// <summary>One source and the store. Linking a file from one to the other needs the same rights on both sides.</summary>
    /// <param name="isWritten">The run makes the source's folder if need be.</param>
    /// <param name="isRead">The source is prepared for publishing, of which a note is kept.</param>
    public static Reach Source(DataFolder folder, string source, bool isWritten, bool isRead)
    {
        if (!Identifiers.IsSource(source)) return Store(folder); // the child refuses the name
        if (isWritten) Directory.CreateDirectory(folder.Source(source));
        IEnumerable<string> notes = isRead ? [Directory.CreateDirectory(Path.Combine(folder.Scratch, Scratch.AdoptingFolder)).FullName] : [];
        return new Reach([], [folder.Parts, folder.Source(source), .. notes]);
    }

    public static Reach Store(DataFolder folder) => new([], [folder.Parts]);

    public static Reach Analytics(DataFolder folder) => new([folder.Parts], [Directory.CreateDirectory(folder.Analytics).FullName]);
}
