namespace Agnes.Engine.Parts;

/// <summary>The layout below <c>DATA_DIR</c>.</summary>
public sealed record DataFolder(string Root)
{
    public string Extracts => Path.Combine(Root, "extracts");
    public string Parts => Path.Combine(Root, "parts");
    public string Incoming => Path.Combine(Parts, ".incoming");

    /// <summary>Rows that are newer than versions. Below the parts, since whoever may read the one may read the other.</summary>
    public string Tails => Path.Combine(Parts, ".tails");

    public string Analytics => Path.Combine(Root, "analytics");
    public string State => Path.Combine(Root, "state");
    public string Scratch => Path.Combine(Root, "scratch");
    public string Csv => Path.Combine(Root, "csv");

    public string TailsOf(string source) => Path.Combine(Tails, source);

    public string Source(string source) => Path.Combine(Extracts, source);

    public string ExtractFile(string source) => Path.Combine(Extracts, source, "extract.duckdb");
}
