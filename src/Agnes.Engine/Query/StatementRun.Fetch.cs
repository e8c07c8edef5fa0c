using System.Text.Json;
using Agnes.Engine.Query.Remote;
using Agnes.Protocol;

namespace Agnes.Engine.Query;

/// <summary>What is fetched of tables elsewhere, for a statement that a worker runs.</summary>
internal sealed partial class StatementRun
{
    /// <summary>Of a statement that is looked at for what it needs; of a longer one all is fetched.</summary>
    private const int NeedsCharactersMax = 64 << 10;

    /// <summary>JSON levels of a tree; an expression takes two or three of them.</summary>
    private const int NeedsDepthMax = 600;

    /// <param name="sql">As it will be run.</param>
    private async Task<Footprint> FetchAsync(IReadOnlyList<ScopedTable> tables, string sql, RemoteRows rows, CancellationToken stop)
    {
        var needs = await NeedsAsync(tables, sql, stop);
        return await LocalAsync(
            tables, (table, remote) => rows.FetchAsync(table, remote, needs.GetValueOrDefault(table.Name, TableNeed.Whole), stop));
    }

    private static async Task<Footprint> LocalAsync(
        IReadOnlyList<ScopedTable> tables, Func<ScopedTable, RowSource.Remote, Task<ScopedTable>> fetch)
    {
        var local = new List<ScopedTable>(tables.Count);
        foreach (var table in tables) local.Add(table.Source is RowSource.Remote remote ? await fetch(table, remote) : table);
        return Footprint.ForOneStatement(local);
    }

    /// <summary>By the tables' names; of one that is not there, all is needed, which is always right.</summary>
    private async Task<IReadOnlyDictionary<string, TableNeed>> NeedsAsync(
        IReadOnlyList<ScopedTable> tables, string sql, CancellationToken stop)
    {
        var found = new Dictionary<string, TableNeed>(StringComparer.OrdinalIgnoreCase);
        if (sql.Length > NeedsCharactersMax) return found;
        try
        {
            var text = await TextAsync($"SELECT json_serialize_sql({SqlText.Literal(sql)}::VARCHAR)::VARCHAR AS text");
            using var tree = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = NeedsDepthMax });
            var columns = new Dictionary<string, IReadOnlyList<TableColumn>>(StringComparer.OrdinalIgnoreCase);
            foreach (var table in tables)
                columns[table.Name] = table.Source is RowSource.Remote remote
                    ? (await remote.System.DescribeAsync(remote.Relation, stop)).Columns
                    : table.Columns;
            var needs = new TableNeeds(tree.RootElement);
            foreach (var table in tables)
                if (table.Source is RowSource.Remote remote)
                    found[table.Name] = needs.Of(table, remote.Dialect, columns[table.Name], columns.GetValueOrDefault);
        }
        catch (Exception failure) when (failure is RemoteException or JsonException)
        {
            found.Clear(); // whatever is amiss is said where the rows are asked for
        }

        return found;
    }
}
