using System.Globalization;
using Agnes.Engine.Extracts;

namespace Agnes.Connectors.Databases;

/// <summary>How a table of a database would be pulled now.</summary>
internal static class PullForecast
{
    public static TableForecast Of(TableConfig table, PullPlan plan, ExtractTable? previous)
    {
        var cursor = PullCursor.Read(previous?.Cursor);
        if (!plan.GoesOn(previous, cursor))
        {
            var why = previous is null || plan.Settings.IsWhole ? null
                : cursor?.Since is null ? "no row was seen before" : "its columns or settings are others than before: it is read whole";
            return new TableForecast(table.Name, "full") { Rows = plan.Table.Rows, Bytes = plan.Table.Bytes, Columns = plan.Stored, Note = why };
        }

        var seen = new Position(plan.Kind, Int128.Parse(cursor!.Since!, CultureInfo.InvariantCulture));
        var since = seen.Before(plan.ReplacesPartitions ? TimeSpan.FromDays(plan.Settings.WindowDays) : plan.Settings.Lag);
        return new TableForecast(table.Name, plan.ReplacesPartitions ? "partitioned" : "incremental")
        {
            Since = since.IsTime ? since.Time.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) : since.Value.ToString(CultureInfo.InvariantCulture),
            Columns = plan.Stored,
            Note = plan.Table.Rows is { } rows ? string.Create(CultureInfo.InvariantCulture, $"the table there has about {rows} rows in all") : null,
        };
    }
}
