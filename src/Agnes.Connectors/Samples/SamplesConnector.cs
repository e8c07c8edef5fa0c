using Agnes.Engine.Extracts;
using Agnes.Protocol;

namespace Agnes.Connectors.Samples;

/// <summary>
/// A shop's data, made up: nine tables that fit together. The same <c>size</c> and <c>seed</c> give the same rows. (Tables, sizes and distributions: the sample data
/// generator of the system that is re-implemented.)
/// </summary>
public sealed class SamplesConnector : Connector
{
    public const string ConnectorName = "samples";
    public const string SourceName = "sample";
    public const int SeedDefault = 42;

    public override string Name => ConnectorName;

    public override async Task RunAsync(ExtractRequest request, ExtractWriter writer, IProgress<ExtractEvent> progress, CancellationToken cancellation)
    {
        var wantedSize = request.Option("size") ?? "s";
        var size = SampleSize.Find(wantedSize) ?? throw new ArgumentException($"'{wantedSize}' is no size of the sample data; there are {string.Join(", ", SampleSize.All.Select(one => one.Name))}.");
        var shop = new Shop(size, int.TryParse(request.Option("seed"), out var seed) ? seed : SeedDefault);
        foreach (var wanted in request.Tables)
        {
            progress.Report(new ExtractEvent("table_started", wanted.Name));
            if (SampleTable.All.FirstOrDefault(table => table.Name == (wanted.SourceTable ?? wanted.Name)) is not { } table)
            {
                var error = $"There is no sample table '{wanted.SourceTable ?? wanted.Name}'; there are {string.Join(", ", SampleTable.All.Select(one => one.Name))}.";
                writer.Fail(wanted.Name, error);
                progress.Report(new ExtractEvent("table_failed", wanted.Name, Message: error));
                continue;
            }

            var rows = await WriteAsync(shop, table, wanted, writer, cancellation);
            progress.Report(new ExtractEvent("table_done", wanted.Name, rows));
        }
    }

    private static async Task<long> WriteAsync(Shop shop, SampleTable table, TableConfig wanted, ExtractWriter writer, CancellationToken cancellation)
    {
        var staging = SqlText.Identifier($"sample_{table.Name}");
        await writer.Connection.ExecuteAsync($"CREATE OR REPLACE TABLE {staging} ({table.Columns})", cancellation);
        using (var appender = writer.Connection.CreateAppender($"sample_{table.Name}"))
        {
            table.Append(shop, appender);
            appender.Close();
        }

        var part = await writer.WritePartAsync($"SELECT * FROM {staging}", $"{wanted.Name}.parquet", md5: true, cancellation);
        writer.Put(new ExtractTable(wanted.Name, wanted.Description ?? table.Description, "local", writer.Time.GetUtcNow().UtcDateTime, part.Columns, [await part.Storing], []));
        await writer.Connection.ExecuteAsync($"DROP TABLE {staging}", cancellation);
        return part.Rows;
    }
}
