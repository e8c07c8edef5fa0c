using System.Globalization;
using Agnes.Cli.Api;
using Agnes.Cli.Output;
using Agnes.Protocol;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes catalog --history</c>: what a table was before.</summary>
internal static class TableHistoryOutput
{
    public static async Task<int> ShowAsync(Host host, string table, bool json, CancellationToken cancellation)
    {
        var answer = await FetchAsync(host, table, withParts: false, cancellation);
        if (json)
        {
            using var body = answer.Json();
            JsonText.Write(host, body.RootElement);
            return ExitCode.Ok;
        }

        var history = answer.As(ProtocolJson.Default.TableHistory);
        if (history.Versions.Count == 0)
        {
            host.Out.WriteLine($"(no versions) '{table}' has no rows that the server keeps: it stays at its source, or was not synced yet.");
            return ExitCode.Ok;
        }

        Columns.Write(
            host.Out,
            ["VERSION", "PUBLISHED", "ROWS", "MORE", "SIZE", "PARTS", "NEW PARTS", ""],
            [.. history.Versions.Select(version => (IReadOnlyList<string>)[
                Text(version.Number), version.PublishedAt, Text(version.Rows), version.RowsMore is { } more ? more.ToString("+0;-0;0", CultureInfo.InvariantCulture) : "-",
                Columns.Bytes(version.SizeBytes), Text(version.Parts), version.PartsNew is { } fresh ? Text(fresh) : "-", Notes(version)])]);
        if (history.Versions.Count > 1) host.Out.WriteLine($"What changed in the rows: agnes diff {DisplayText.OneLine(history.TableId)}");
        return ExitCode.Ok;
    }

    public static async Task<ApiResponse> FetchAsync(Host host, string table, bool withParts, CancellationToken cancellation)
    {
        var answer = await host.Api.GetAsync($"/api/v2/history/{Uri.EscapeDataString(table)}{(withParts ? "?parts=1" : "")}", cancellation);
        return answer.OrFail(SchemaCommand.ExitFor(answer.Status));
    }

    private static string Notes(TableVersion version) => string.Join(
        "; ", (string[])[.. version.IsCurrent ? ["current"] : (string[])[], .. version.IsRollback ? ["an admin went back to it"] : (string[])[], .. version.ColumnChanges]);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
