using Agnes.Engine.Extracts;
using Agnes.Protocol;

namespace Agnes.Engine.Tests.Extracts;

/// <summary>A connector whose tables are SELECTs: <c>SourceTable</c> is the SQL of one part, or of several, separated by <c>;;</c>. It can fail and crash on demand.</summary>
internal sealed class ScriptedConnector : Connector
{
    public override string Name => "scripted";

    public override async Task RunAsync(ExtractRequest request, ExtractWriter writer, IProgress<ExtractEvent> progress, CancellationToken cancellation)
    {
        foreach (var table in request.Tables)
        {
            progress.Report(new ExtractEvent("table_started", table.Name));
            if (table.SourceTable == "fail") writer.Fail(table.Name, "it was told to fail");
            else if (table.SourceTable == "crash") Environment.FailFast("told to crash");
            else if (table.SourceTable == "hang") await Task.Delay(Timeout.Infinite, cancellation);
            else if (table.SourceTable == "talk") await TalkAsync(table, writer, progress, cancellation);
            else if (table.SourceTable == "job") await JobAsync(table, writer, cancellation);
            else if (table.SourceTable == "count") await CountAsync(table, writer, cancellation);
            else await TryWriteAsync(table, writer, cancellation);
        }
    }

    /// <summary>Slow, but it says that it gets on.</summary>
    private static async Task TalkAsync(TableConfig table, ExtractWriter writer, IProgress<ExtractEvent> progress, CancellationToken cancellation)
    {
        for (var i = 0; i < 20; i++)
        {
            progress.Report(new ExtractEvent("table_progress", table.Name, Phase: "waiting"));
            await Task.Delay(150, cancellation);
        }

        await WriteAsync(table with { SourceTable = "SELECT 1 AS x" }, writer, cancellation);
    }

    /// <summary>A job elsewhere: its id is stored before it is begun, and then the process is killed; the next run finds it.</summary>
    private static async Task JobAsync(TableConfig table, ExtractWriter writer, CancellationToken cancellation)
    {
        if (!writer.Checkpoints.TryGetValue(table.Name, out var job))
        {
            await writer.SaveCheckpointAsync(table.Name, "job-1", cancellation);
            Environment.FailFast("killed after the job was begun");
        }

        await WriteAsync(table with { SourceTable = $"SELECT '{job}' AS job" }, writer, cancellation);
    }

    /// <summary>One row more at each run, from the cursor on.</summary>
    private static async Task CountAsync(TableConfig table, ExtractWriter writer, CancellationToken cancellation)
    {
        var previous = writer.Previous.GetValueOrDefault(table.Name);
        var next = int.Parse(previous?.Cursor ?? "0", System.Globalization.CultureInfo.InvariantCulture) + 1;
        TableColumn[] columns = [new("id", "INTEGER"), new("name", "VARCHAR")];
        var parts = await new PartMerge(["id"], "id // 2").RunAsync(writer, previous, $"SELECT {next} AS id, 'run {next}' AS name", columns, cancellation);
        writer.Put(new ExtractTable(table.Name, table.Description, "local", writer.Time.GetUtcNow().UtcDateTime, columns, parts, [])
        {
            Cursor = next.ToString(System.Globalization.CultureInfo.InvariantCulture),
        });
    }

    private static async Task TryWriteAsync(TableConfig table, ExtractWriter writer, CancellationToken cancellation)
    {
        try
        {
            await WriteAsync(table, writer, cancellation);
        }
        catch (IOException e)
        {
            writer.Fail(table.Name, e.Message);
        }
    }

    private static async Task WriteAsync(TableConfig table, ExtractWriter writer, CancellationToken cancellation)
    {
        var selects = table.SourceTable!.Split(";;");
        var parts = new List<WrittenPart>();
        foreach (var (index, select) in selects.Index())
            parts.Add(await writer.WritePartAsync(select, selects.Length == 1 ? $"{table.Name}.parquet" : $"{index:00}.parquet", selects.Length == 1, cancellation));
        var stored = await Task.WhenAll(parts.Select(part => part.Storing));
        writer.Put(new ExtractTable(table.Name, table.Description, "local", writer.Time.GetUtcNow().UtcDateTime, parts[0].Columns, stored, []));
    }
}
