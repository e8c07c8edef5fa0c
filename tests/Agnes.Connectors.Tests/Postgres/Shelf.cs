using Agnes.Engine.Query.Remote;
using Agnes.Testing;

[assembly: AssemblyFixture(typeof(Postgres))]

namespace Agnes.Connectors.Tests.Postgres;

/// <summary><see cref="TwinTables"/> for a class of tests.</summary>
public sealed class Shelf(Testing.Postgres postgres) : IAsyncLifetime
{
    private TwinTables _twins = null!;

    internal IRemoteTables Tables => _twins.Tables;

    internal Dictionary<string, string> Options => _twins.Options;

    public string Folder => _twins.Folder;

    public string Role => _twins.Role;

    public async ValueTask InitializeAsync() => _twins = await TwinTables.StartAsync(await postgres.NewDatabaseAsync(), postgres.Address);

    internal IRemoteTables Open(Dictionary<string, string> options) => _twins.Open(options);

    public ValueTask DisposeAsync() => _twins.DisposeAsync();

    public Task FillSalesAsync() => _twins.FillSalesAsync();

    public Task ExecuteAsync(string sql) => _twins.ExecuteAsync(sql);

    public Task<object?> ScalarAsync(string sql) => _twins.ScalarAsync(sql);

    public Task MirrorAsync(string table) => _twins.MirrorAsync(table);

    public Task<List<string>> ThereAsync(string sql, params string[] tables) => _twins.ThereAsync(sql, tables);

    public List<string> Here(string sql) => _twins.Here(sql);

    public Task<string> AnswerAsync(string sql, IReadOnlyList<string> tables) => _twins.AnswerAsync(sql, tables);
}
