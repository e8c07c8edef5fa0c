using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Engine.Publishing;
using Agnes.Engine.Workers;
using Agnes.Testing;
using DuckDB.NET.Data;

namespace Agnes.Engine.Tests.Publishing;

/// <summary>A data folder with a publisher and a runner, whose workers are real processes.</summary>
internal sealed class Installation : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private int _runs;

    public Installation()
    {
        Data = new DataFolder(_folder.Path);
        Scratch = new Scratch(Data.Scratch);
        Store = new PartStore(Data);
        var budget = Budget.FromTotal(1L << 30, 2);
        Publisher = new Publisher(Data, Scratch, budget);
        Runner = new ExtractRunner(Data, Scratch, budget, [new Agnes.Engine.Tests.Extracts.ScriptedConnector()]);
    }

    public DataFolder Data { get; }
    public Scratch Scratch { get; }
    public PartStore Store { get; }
    public Publisher Publisher { get; }
    public ExtractRunner Runner { get; }
    public List<ExtractEvent> Events { get; } = [];

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public string this[params string[] parts] => _folder[parts];

    public void Dispose() => _folder.Dispose();

    public Task<Publication> PrepareAsync(string source = "shop", params IReadOnlyList<PublishedTable> known) => Publisher.PrepareAsync(source, known, Stop);

    public Task<ExtractOutcome> RunAsync(params IReadOnlyList<TableConfig> tables) => RunAsync(null, tables);

    public Task<ExtractOutcome> RunAsync(IReadOnlyList<string>? registered, IReadOnlyList<TableConfig> tables)
    {
        var request = new ExtractRequest($"run{++_runs}", "shop", "scripted", tables, registered);
        return Runner.RunAsync(request, new Report(Events), Stop);
    }

    /// <summary>What another program does: any SQL on <c>extract.duckdb</c> of a source, opened by itself. <c>{data}</c> is the source's data folder.</summary>
    public void Foreign(string sql, string source = "shop")
    {
        var data = Directory.CreateDirectory(Path.Combine(Data.Source(source), "data")).FullName;
        using var connection = new DuckDBConnection($"Data Source={Data.ExtractFile(source)}");
        connection.Open();
        connection.ExecuteUnprepared("CREATE TABLE IF NOT EXISTS _meta(table_name VARCHAR NOT NULL, description VARCHAR, rows BIGINT, size_bytes BIGINT, extracted_at TIMESTAMP, query_mode VARCHAR DEFAULT 'local')");
        connection.ExecuteUnprepared(sql.Replace("{data}", data, StringComparison.Ordinal));
    }

    public static string Meta(string table, string extractedAt = "2026-01-02 03:04:05", string mode = "local") =>
        $"INSERT INTO _meta VALUES ('{table}', 'about {table}', 1, 1, '{extractedAt}', '{mode}');";

    /// <summary>The rows of a prepared table, read from its parts in the store.</summary>
    public string Rows(TablePublication table, string select = "*")
    {
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        using var command = new DuckDBCommand($"SELECT {select} FROM ({Agnes.Protocol.TableSource.FromParts([.. table.Parts.Select(part => Store.PathOf(part.Sha256))])})", connection);
        using var reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read()) rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? "NULL" : Convert.ToString(reader.GetValue(i), System.Globalization.CultureInfo.InvariantCulture))));
        return string.Join(' ', rows);
    }

    /// <summary>What the server would remember after committing.</summary>
    public static IReadOnlyList<PublishedTable> Commit(Publication publication) =>
    [
        .. publication.Tables.Select(table => new PublishedTable(table.Name, table.Description, table.QueryMode, table.ExtractedAt, table.Columns, table.Rows, table.Parts, table.Stamps, table.Md5, table.Origin)),
    ];

    private sealed class Report(List<ExtractEvent> events) : IProgress<ExtractEvent>
    {
        void IProgress<ExtractEvent>.Report(ExtractEvent value) => events.Add(value);
    }
}
