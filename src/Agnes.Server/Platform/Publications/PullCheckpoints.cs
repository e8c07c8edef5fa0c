using Agnes.Engine.Extracts;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>What runs of connectors must find again after they were killed, by source and table.</summary>
internal sealed class PullCheckpoints(StateDb state)
{
    public async Task<IReadOnlyDictionary<string, string>> LoadAsync(string source) =>
        (await state.ReadAsync<Row>("SELECT table_name, value FROM source_checkpoints WHERE source = @source", new { source })).ToDictionary(row => row.TableName, row => row.Value, StringComparer.OrdinalIgnoreCase);

    /// <summary>Durable when it returns.</summary>
    public Task SaveAsync(string source, ExtractCheckpoint checkpoint, CancellationToken cancellation) => state.WriteAsync(
        async write =>
        {
            var row = new { source, table = checkpoint.Table, value = checkpoint.Value, now = write.Now };
            if (await write.ExecuteAsync("UPDATE source_checkpoints SET value = @value, saved_at = @now WHERE source = @source AND table_name = @table", row) == 0)
                await write.ExecuteAsync("INSERT INTO source_checkpoints (source, table_name, value, saved_at) VALUES (@source, @table, @value, @now)", row);
        },
        cancellation);

    /// <param name="tables">Done, or of nobody any more.</param>
    public Task ForgetAsync(string source, IReadOnlyCollection<string> tables, CancellationToken cancellation) => tables.Count == 0 ? Task.CompletedTask : state.WriteAsync(
        async write =>
        {
            foreach (var table in tables) await write.ExecuteAsync("DELETE FROM source_checkpoints WHERE source = @source AND table_name = @table", new { source, table });
        },
        cancellation);

    private sealed record Row
    {
        public required string TableName { get; init; }
        public required string Value { get; init; }
    }
}
