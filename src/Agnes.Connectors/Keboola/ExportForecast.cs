using System.Globalization;
using Agnes.Engine.Extracts;

namespace Agnes.Connectors.Keboola;

/// <summary>How a table of a project would be pulled now.</summary>
internal static class ExportForecast
{
    public static TableForecast Of(TableConfig table, PullShape shape, StorageTable there, ExtractTable? previous)
    {
        var cursor = PullCursor.Read(previous?.Cursor);
        var how = shape.Settings;
        if (how.IsWhole || shape.Keys.Count == 0 || !shape.GoesOn(previous, cursor))
        {
            return new TableForecast(table.Name, how.IsPartitioned && shape.Keys.Count > 0 ? "partitioned" : "full")
            {
                Rows = there.Rows,
                Bytes = there.Bytes,
                Columns = shape.Stored,
                Note = shape.Keys.Count == 0 && !how.IsWhole ? "it has no primary key: it is read whole each time"
                    : previous is not null && !how.IsWhole ? "its columns or settings are others than before: it is read whole" : null,
            };
        }

        return new TableForecast(table.Name, "incremental")
        {
            Since = DateTimeOffset.FromUnixTimeSeconds(cursor!.Since).UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
            Columns = shape.Stored,
            Note = there.Rows is { } rows ? string.Create(CultureInfo.InvariantCulture, $"the table there has {rows} rows in all") : null,
        };
    }
}
