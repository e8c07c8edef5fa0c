using Agnes.Protocol;
using Agnes.Server.Web;

namespace Agnes.Server.Features.Metrics.Pages;

/// <summary>The definitions and checked questions that a caller may know of.</summary>
/// <param name="Visible">Definitions that the caller may know of at all.</param>
public sealed record MetricsModel(ListQuery Query, IReadOnlyList<IGrouping<string, MetricEntry>> Categories, IReadOnlyList<QuestionEntry> Questions, int Visible, bool IsAdmin);

public sealed record MetricEntry(string Id, string DisplayName, string Category, string? Description, string? Unit, string? Grain)
{
    public string Href => MetricPages.Address(MetricPages.MetricsPath, Id);
}

public sealed record QuestionEntry(string Id, string Question, IReadOnlyList<QueryParameter> Parameters, bool Canonical)
{
    public string Href => MetricPages.Address(MetricPages.QuestionsPath, Id);
}

/// <summary>One definition.</summary>
/// <param name="Facts">Label and text, of what was said.</param>
/// <param name="TableHref">Of the page of its table; null where there is none that the caller may read.</param>
public sealed record MetricModel(
    string Id, string DisplayName, string? Description, IReadOnlyList<(string Label, string Text)> Facts, string? Table, string? TableHref, IReadOnlyList<string> Dimensions, IReadOnlyList<string> Synonyms,
    IReadOnlyList<string> Notes, IReadOnlyList<(string Label, string Sql)> Statements, bool IsAdmin)
{
    public string Command => $"agnes catalog --metrics --show {Id}";

    public string Api => MetricPages.Address("/api/admin/metrics", Id);
}

/// <summary>One checked question.</summary>
public sealed record QuestionModel(VerifiedQuery Query, bool IsAdmin)
{
    /// <summary>With the defaults; a place to fill in where there is none.</summary>
    public string Command => $"agnes verified run {Query.Id}{string.Concat(Query.Parameters.Select(parameter => $" --param {parameter.Name}={Argument(parameter.Default ?? "…")}"))}";

    public string Api => MetricPages.Address("/api/admin/verified-queries", Query.Id);

    private static string Argument(string value) => value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '…') ? value : $"'{value.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}

/// <summary>Whether the definitions agree with the tables as they are.</summary>
public sealed record MetricCheckModel(int Checked, IReadOnlyList<(string Id, IReadOnlyList<string> Messages)> Failed);
