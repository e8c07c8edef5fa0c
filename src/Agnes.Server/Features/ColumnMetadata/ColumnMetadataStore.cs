using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.ColumnMetadata;

/// <summary>What is known of a column beyond its name: a row of <c>column_metadata</c>.</summary>
public sealed record ColumnMetadataRow
{
    public const string Manual = "manual";

    public required string TableId { get; init; }
    public required string ColumnName { get; init; }

    /// <summary>In Keboola's words: STRING, INTEGER, NUMERIC, FLOAT, BOOLEAN, DATE, TIMESTAMP.</summary>
    public string? Basetype { get; init; }
    public string? Description { get; init; }

    /// <summary>How sure whoever wrote it was; <c>manual</c> where a person did.</summary>
    public string Confidence { get; init; } = Manual;
    public string Source { get; init; } = Manual;
    public DateTime UpdatedAt { get; init; }
}

/// <summary>What is said anew of a column.</summary>
internal sealed record ColumnChange(string Column, Said Basetype, Said Description, string Confidence = ColumnMetadataRow.Manual, string Source = ColumnMetadataRow.Manual);

/// <summary>A text, its removal (null), or nothing at all: then what is known stays.</summary>
internal readonly record struct Said(bool IsSaid, string? Text)
{
    public static Said Nothing => default;

    public string? Over(string? known) => IsSaid ? Text : known;
}

/// <summary>Words about columns end with their table.</summary>
internal sealed class ColumnMetadataBelonging : IBelonging
{
    public string Name => "words about columns";

    public Task EndTableAsync(StateWrite write, string id) => ColumnMetadataStore.DropAsync(write, id);
}

/// <summary>The only reader and writer of <c>column_metadata</c>.</summary>
internal static class ColumnMetadataStore
{
    private const string OfTable = "SELECT * FROM column_metadata WHERE table_id = @id ORDER BY column_name";

    private const string Insert =
        """
        INSERT INTO column_metadata (table_id, column_name, basetype, description, confidence, source, updated_at)
        VALUES (@TableId, @ColumnName, @Basetype, @Description, @Confidence, @Source, @UpdatedAt)
        """;

    private const string Update =
        """
        UPDATE column_metadata SET basetype = @Basetype, description = @Description, confidence = @Confidence, source = @Source, updated_at = @UpdatedAt
        WHERE table_id = @TableId AND column_name = @ColumnName
        """;

    /// <summary>By the column's name.</summary>
    public static Task<IReadOnlyList<ColumnMetadataRow>> ListAsync(StateDb state, string tableId, CancellationToken stop) => state.ReadAsync<ColumnMetadataRow>(OfTable, new { id = tableId }, stop);

    /// <summary>What is said of a table's columns, by their names.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> DescriptionsAsync(StateDb state, NamedTable table, CancellationToken stop) => table.Id is { } id
        ? (await ListAsync(state, id, stop)).Where(column => column.Description is not null).ToDictionary(column => column.ColumnName, column => column.Description!, StringComparer.Ordinal)
        : new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Adds what is new and lays the rest over what is known.</summary>
    public static async Task SaveAsync(StateWrite write, string tableId, IReadOnlyList<ColumnChange> changes)
    {
        var known = (await write.QueryAsync<ColumnMetadataRow>(OfTable, new { id = tableId })).ToDictionary(row => row.ColumnName, StringComparer.Ordinal);
        var added = new List<object>();
        foreach (var change in changes)
        {
            var before = known.GetValueOrDefault(change.Column);
            var after = new ColumnMetadataRow
            {
                TableId = tableId,
                ColumnName = change.Column,
                Basetype = change.Basetype.Over(before?.Basetype),
                Description = change.Description.Over(before?.Description),
                Confidence = change.Confidence,
                Source = change.Source,
                UpdatedAt = write.Now,
            };
            if (before is null) added.Add(after);
            else await write.ExecuteAsync(Update, after);
        }

        if (added.Count > 0) await write.InsertAsync(Insert, added);
    }

    /// <summary>With its own time; what is known of the column stays.</summary>
    /// <returns>Whether it was added.</returns>
    public static async Task<bool> ImportAsync(StateWrite write, ColumnMetadataRow row)
    {
        const string one = "SELECT * FROM column_metadata WHERE table_id = @TableId AND column_name = @ColumnName";
        if (await write.QueryFirstAsync<ColumnMetadataRow>(one, row) is not null) return false;
        await write.ExecuteAsync(Insert, row);
        return true;
    }

    public static Task DropAsync(StateWrite write, string tableId) => write.ExecuteAsync("DELETE FROM column_metadata WHERE table_id = @id", new { id = tableId });
}
