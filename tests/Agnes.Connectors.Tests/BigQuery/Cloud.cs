using System.Globalization;
using System.Text;
using Agnes.Connectors.BigQuery;
using Agnes.Emulators.BigQuery;
using Agnes.Engine.Outbound;

namespace Agnes.Connectors.Tests.BigQuery;

/// <summary>A BigQuery of the test's own with a shop's tables, and a client of ours that goes to it.</summary>
internal sealed class Cloud : IAsyncDisposable
{
    public const string Billing = "billing-project";
    public const string Data = "data-project";
    private readonly List<BigQueryClient> _clients = [];

    private Cloud(BigQueryServer server, BigQueryConnection connection) => (Server, Connection) = (server, connection);

    public BigQueryServer Server { get; }

    public BigQueryConnection Connection { get; }

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>The machine's guard may lead anywhere: the emulator is on this one.</summary>
    public static OutboundGuard Guard { get; } = new([]);

    public static async Task<Cloud> StartAsync(TimeProvider? time = null)
    {
        var server = await BigQueryServer.StartAsync(time);
        var rows = server.Warehouse;
        rows.AddDataset(Data, "sales", "EU");
        rows.AddDataset(Data, "empty", "EU");
        var orders = rows.AddTable(
            Data, "sales", "orders",
                "id INT64 NOT NULL, name STRING, price NUMERIC, day DATE, tags ARRAY<STRING>, home STRUCT<city STRING, zip INT64>",
            "SELECT i, 'n' || i, i + 0.25, DATE '2026-01-01' + i::INTEGER, CASE WHEN i % 2 = 0 THEN ['a', 'b'] ELSE [] END, {'city': "
                + "'c' || i, 'zip': i * 10} FROM range(1, 8) r(i)");
        rows.Set(orders with { PartitionField = "day", Clustering = ["name"], Description = "What was sold" });
        rows.AddTable(Data, "sales", "huge", "id INT64, note STRING", "SELECT i, 'x' FROM range(1000) r(i)", scale: 1L << 20);
        rows.AddView(Data, "sales", "cheap", "SELECT id, price FROM `data-project.sales.orders` WHERE id < 4");
        rows.AddView(Data, "sales", "totals", "SELECT COUNT(*) AS n FROM `data-project.sales.orders`", isMaterialized: true);
        rows.AddTable(Data, "sales", "outside", "id INT64", "SELECT 1", type: "EXTERNAL");
        var connection = new BigQueryConnection("warehouse", Billing, Data)
        {
            KeyJson = server.Tokens.KeyFile(server.Address.GetLeftPart(UriPartial.Authority)),
            Service = server.Address,
            TokenService = new Uri(server.Address, "/token"),
            MetadataService = server.Address,
            Limits = new BigQueryLimits
            {
                Pause = TimeSpan.FromMilliseconds(5),
                PauseMax = TimeSpan.FromMilliseconds(20),
                WaitTime = TimeSpan.FromMilliseconds(300)
            },
        };
        return new Cloud(server, connection);
    }

    public BigQueryClient Client(Func<BigQueryConnection, BigQueryConnection>? change = null, TimeProvider? time = null)
    {
        var client = new BigQueryClient(
            change is null ? Connection : change(Connection), Guard, SettingOwner.Operator, time ?? TimeProvider.System);
        _clients.Add(client);
        return client;
    }

    public static BigQueryStatement Statement(string sql, string? jobId = null, long bytes = 1L << 30) =>
        new(sql, jobId ?? BigQueryStatement.NewJobId(), bytes);

    /// <summary>Has it run the smallest statement there is.</summary>
    public static async Task AskAsync(BigQueryClient client) =>
        (await ReadAsync(await client.RunAsync(Statement("SELECT 1 AS ok"), Stop))).ShouldBe("1\n");

    /// <summary>Columns, and rows as text.</summary>
    public static async Task<string> ReadAsync(BigQueryAnswer answer, long rowsMax = long.MaxValue)
    {
        var rows = new TextRows();
        (await answer.Rows.ReadAsync(rows, rowsMax, Stop)).ShouldBe(rows.Count);
        return rows.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients) client.Dispose();
        await Server.DisposeAsync();
        Server.Faults.ShouldBeEmpty();
    }
}

/// <summary>Rows as one line each; shows which call each value came by.</summary>
internal sealed class TextRows : IRowSink
{
    private readonly StringBuilder _text = new();
    private bool _isFirst = true;

    public int Count { get; private set; }

    public override string ToString() => _text.ToString();

    public void Null() => Add("null");

    public void Bool(bool value) => Add($"bool:{value}");

    public void Int64(long value) => Add(value.ToString(CultureInfo.InvariantCulture));

    public void Double(double value) => Add($"double:{value.ToString("R", CultureInfo.InvariantCulture)}");

    public void Text(ReadOnlySpan<byte> utf8) => Add(Encoding.UTF8.GetString(utf8));

    public void Bytes(ReadOnlySpan<byte> value) => Add($"bytes:{Convert.ToHexString(value)}");

    public void Decimal(Int128 unscaled, int scale) => Add($"decimal:{unscaled.ToString(CultureInfo.InvariantCulture)}/{scale}");

    public void Date(int days) => Add($"date:{DateOnly.FromDayNumber(days + new DateOnly(1970, 1, 1).DayNumber):yyyy-MM-dd}");

    public void Time(long micros) => Add($"time:{micros}");

    public void DateTime(long micros) => Add($"datetime:{micros}");

    public void Timestamp(long micros) => Add($"timestamp:{micros}");

    public void Json(ReadOnlySpan<byte> utf8) => Add(Encoding.UTF8.GetString(utf8));

    public void EndRow()
    {
        _text.Append('\n');
        (_isFirst, Count) = (true, Count + 1);
    }

    private void Add(string text)
    {
        _text.Append(_isFirst ? "" : " | ").Append(text);
        _isFirst = false;
    }
}
