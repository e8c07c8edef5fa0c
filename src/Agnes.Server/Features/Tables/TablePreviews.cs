using System.Text.Json.Nodes;
using Agnes.Engine.Extracts;
using Agnes.Engine.Parts;
using Agnes.Engine.Workers;
using Agnes.Protocol;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Tables;

/// <summary>
/// Adds to the description of a table that is not registered yet what it would be: read in a child process, in the place and the memory of publishing, and for nobody
/// but whoever asked. Values are in the answer alone.
/// </summary>
internal sealed class TablePreviews(
    ExtractRunner runner, PublishingGate gate, SourceKinds kinds, DataFolder folder, StateDb state, SecretStore secrets,
        ServerOptions options)
{
    private const string Busy = "The server is busy with other tables; ask again to see rows and columns.";
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(5);

    /// <summary>Nothing is added for a kind of source that cannot show it.</summary>
    public async Task AddAsync(JsonObject table, TableRow row, CancellationToken stop)
    {
        if (kinds.PulledBy(state.Snapshot, row) is not { Kind.Connector: { } connector } own || !runner.CanPreview(connector)) return;
        try
        {
            using var entered = await EnterAsync(stop);
            var given = ConnectionSecrets.OptionsOf(secrets, own, folder, options);
            var request = new ExtractRequest("preview", own.Name, connector, [own.Kind.ConfigOf(row)], Options: given);
            Add(table, await runner.PreviewAsync(request, stop));
        }
        catch (WorkerFailedException failure)
        {
            (table["preview"], table["preview_error"]) = (null, failure.Message);
        }
    }

    private async Task<IDisposable> EnterAsync(CancellationToken stop)
    {
        using var wait = CancellationTokenSource.CreateLinkedTokenSource(stop);
        wait.CancelAfter(WaitMax);
        try
        {
            return await gate.PrepareAsync(wait.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new WorkerFailedException(Busy);
        }
    }

    private static void Add(JsonObject table, TablePreview preview)
    {
        table["rows"] = preview.Rows;
        table["size_bytes"] = preview.Bytes;
        table["columns"] = List(preview.Columns, column => new JsonObject { ["name"] = column.Name, ["type"] = column.Type });
        table["column_count"] = preview.ColumnCount;
        table["preview"] = new JsonObject
        {
            ["rows"] = List(preview.First, row => List(row, value => JsonValue.Create(value))),
            ["rows_looked_at"] = preview.LookedAt,
            ["file_count"] = preview.FileCount,
            ["files"] = List(preview.Files, Of),
            ["remarks"] = List(preview.Remarks, remark => JsonValue.Create(remark)),
        };
        table["preview_error"] = null;
    }

    private static JsonObject Of(PreviewedFile file)
    {
        var described = new JsonObject { ["path"] = file.Path, ["rows"] = file.Rows };
        if (file.Written is not { } written) return described;
        described["delimiter"] = written.Delimiter;
        described["quote"] = written.Quote;
        described["escape"] = written.Escape;
        described["header"] = written.Header;
        described["skip_lines"] = written.SkippedLines;
        described["encoding"] = written.Encoding;
        described["date_formats"] = new JsonObject(written.DateFormats.Select(format => KeyValuePair.Create(format.Key, (JsonNode?)format.Value)));
        described["null_texts"] = List(written.NullTexts, text => JsonValue.Create(text));
        return described;
    }

    private static JsonArray List<T>(IEnumerable<T> items, Func<T, JsonNode?> of) => new([.. items.Select(of)]);
}
