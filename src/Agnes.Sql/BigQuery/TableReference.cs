namespace Agnes.Sql.BigQuery;

/// <summary>How much of a table's name a statement says.</summary>
public enum ReferenceForm
{
    /// <summary><c>t</c></summary>
    Bare,

    /// <summary><c>ds.t</c></summary>
    Dataset,

    /// <summary><c>proj.ds.t</c></summary>
    Project,

    /// <summary><c>bq.ds.t</c>, the parts perhaps in <c>"</c>: the source by its own name.</summary>
    Source,
}

/// <summary>A table that a statement names and that is no query of its own WITH.</summary>
/// <param name="Project">Of <see cref="ReferenceForm.Project"/> only.</param>
/// <param name="Dataset">Of all forms but <see cref="ReferenceForm.Bare"/>.</param>
/// <param name="At">Characters before it in the text.</param>
public sealed record TableReference(ReferenceForm Form, string? Project, string? Dataset, string Table, int At)
{
    /// <summary>As the contract writes it in messages: <c>bq."ds"."t"</c>, or the parts with dots between.</summary>
    public string Path => Form == ReferenceForm.Source
        ? $"{Parser.SourceName}.\"{Dataset}\".\"{Table}\""
        : string.Join('.', ((string?[])[Project, Dataset, Table]).OfType<string>());
}

/// <summary>What a reference stands for.</summary>
public abstract record Resolution
{
    private Resolution()
    {
    }

    /// <summary>A table that the asker may read, by its full name.</summary>
    public sealed record Table(string Project, string Dataset, string Name) : Resolution;

    /// <summary>None that the asker may read.</summary>
    public sealed record Refused(Refusal Why) : Resolution;
}

/// <summary>A table of a statement, as it was named and what it is.</summary>
public sealed record ResolvedReference(TableReference Reference, Resolution.Table Table);

/// <summary>What came of a statement: the text that stands for it, or why it is refused.</summary>
/// <param name="Sql">Written from the tree, every table by its full name; null with a refusal.</param>
/// <param name="Tables">In the order of the text.</param>
/// <param name="Reference">What the refusal is about, where it is a table.</param>
public sealed record RewrittenStatement(string? Sql, IReadOnlyList<ResolvedReference> Tables, Refusal? Refusal, TableReference? Reference);

/// <summary>Leaves a rewriting, never this folder.</summary>
internal sealed class RefusedStatement(Refusal refusal, TableReference? reference = null) : Exception(refusal.Message)
{
    public Refusal Refusal { get; } = refusal;

    public TableReference? Reference { get; } = reference;
}
