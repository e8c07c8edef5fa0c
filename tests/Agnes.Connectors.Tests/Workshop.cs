using System.Globalization;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Engine.Publishing;
using Agnes.Engine.Workers;
using Agnes.Protocol;
using Agnes.Testing;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Tests;

/// <summary>A data folder, a folder of files, and runs in real worker processes.</summary>
internal sealed class Workshop : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private int _runs;

    public Workshop()
    {
        Data = new DataFolder(_folder.Path);
        Scratch = new Scratch(Data.Scratch);
        Store = new PartStore(Data);
        Budget = Budget.FromTotal(1L << 30, 2);
        Directory.CreateDirectory(Data.Csv);
    }

    public DataFolder Data { get; }
    public Scratch Scratch { get; }
    public PartStore Store { get; }
    public Budget Budget { get; }
    public List<ExtractEvent> Events { get; } = [];

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public string this[params string[] parts] => _folder[parts];

    public void Dispose() => _folder.Dispose();

    public void Write(string path, string text) => Write(path, System.Text.Encoding.UTF8.GetBytes(text));

    public void Write(string path, byte[] bytes)
    {
        var file = Path.Combine(Data.Csv, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, bytes);
    }

    /// <summary>Files that only the engine can write: Parquet, and text under compression.</summary>
    public void Engine(string sql)
    {
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        connection.ExecuteUnprepared(sql.Replace("{csv}", Data.Csv, StringComparison.Ordinal));
    }

    public Task<ExtractOutcome> RunAsync(string table, string? sourceTable = null, string? bucket = null) => RunAsync([new TableConfig(table, table, bucket, sourceTable)]);

    public async Task<ExtractOutcome> RunAsync(IReadOnlyList<TableConfig> tables, string connector = "files", string source = "csv", IReadOnlyDictionary<string, string>? options = null)
    {
        Events.Clear();
        var request = new ExtractRequest($"run{++_runs}", source, connector, tables, Options: options);
        var outcome = await new ExtractRunner(Data, Scratch, Budget, ConnectorList.All).RunAsync(request, new Report(Events), Stop, []);
        Published = outcome.Publication!;
        return outcome;
    }

    /// <summary>What the last run would publish.</summary>
    public Publication Published { get; private set; } = null!;

    public TablePublication Table(string name) => Published.Tables.Single(table => table.Name == name);

    public string Columns(string name) => string.Join(", ", Table(name).Columns.Select(column => $"{column.Name} {column.Type}"));

    public string Rows(string name, string select = "*")
    {
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        using var command = new DuckDBCommand($"SELECT {select} FROM ({TableSource.FromParts([.. Table(name).Parts.Select(part => Store.PathOf(part.Sha256))])})", connection);
        using var reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read()) rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? "NULL" : Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture))));
        return string.Join(' ', rows);
    }

    private sealed class Report(List<ExtractEvent> events) : IProgress<ExtractEvent>
    {
        void IProgress<ExtractEvent>.Report(ExtractEvent value) => events.Add(value);
    }
}
