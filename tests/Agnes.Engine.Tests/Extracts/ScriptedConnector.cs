using Agnes.Engine.Extracts;

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
            else await TryWriteAsync(table, writer, cancellation);
        }
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
