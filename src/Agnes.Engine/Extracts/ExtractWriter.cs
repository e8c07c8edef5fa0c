using Agnes.Engine.Parts;

namespace Agnes.Engine.Extracts;

/// <summary>Builds an extract anew, carries over what this run does not touch, and replaces the old one by a rename.</summary>
public sealed class ExtractWriter
{
    internal ExtractWriter(DataFolder folder, string source) => (Folder, Source) = (folder, source);

    public DataFolder Folder { get; }

    public string Source { get; }
}
