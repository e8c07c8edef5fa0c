namespace Agnes.Engine.Parts;

/// <summary>The layout below <c>DATA_DIR</c>.</summary>
public sealed record DataFolder(string Root)
{
    public string Extracts => Path.Combine(Root, "extracts");
    public string Parts => Path.Combine(Root, "parts");
    public string Incoming => Path.Combine(Parts, ".incoming");
    public string Analytics => Path.Combine(Root, "analytics");
    public string State => Path.Combine(Root, "state");
    public string Scratch => Path.Combine(Root, "scratch");
    public string Csv => Path.Combine(Root, "csv");

    public string Source(string source) => Path.Combine(Extracts, source);

    public string ExtractFile(string source) => Path.Combine(Extracts, source, "extract.duckdb");
}
