using Agnes.Engine.Extracts;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Engine.Publishing;

/// <summary>
/// What is done when the columns of a source are others than those of the version that is published. It is applied here, to whatever is about to be
/// published, and by no connector.
/// </summary>
public static class SchemaContract
{
    /// <summary>Columns are taken as they come.</summary>
    public const string Evolve = "evolve";

    /// <summary>The table keeps its last version until the columns are the same again, or somebody says that they may change.</summary>
    public const string Freeze = "freeze";

    /// <summary>New columns are left out, and those that there were keep their types.</summary>
    public const string Discard = "discard";

    public static readonly IReadOnlyList<string> All = [Evolve, Freeze, Discard];

    /// <summary>How the columns differ where a contract has a say in it; null where there is none, or nothing to compare with.</summary>
    internal static SchemaDrift? Drift(PublishedTable? before, IReadOnlyList<TableColumn> now)
    {
        if (before is null or { Contract: null or Evolve } or { QueryMode: "remote" } or { Columns.Count: 0 }) return null;
        var drift = SchemaDrift.Between(before.Columns, now);
        return drift.IsNone ? null : drift;
    }

    /// <summary>Of names and types alone.</summary>
    /// <exception cref="SchemaContractException">The contract forbids them.</exception>
    internal static void Check(PublishedTable before, SchemaDrift drift)
    {
        if (before.Contract == Freeze) throw new SchemaContractException(before, $"its columns are frozen, and the source has others: {drift}", drift);
        if (drift.Missing.Count > 0)
            throw new SchemaContractException(before, $"columns that it must keep are missing in the source: {drift}", drift);
    }

    /// <summary>What is to be said of columns that a run would bring, before it does.</summary>
    /// <returns>Why they would not be published; and what only their cells will tell. Null where there is nothing.</returns>
    public static (string? Fault, string? Doubt) Foresee(PublishedTable before, IReadOnlyList<TableColumn> now)
    {
        if (Drift(before, now) is not { } drift) return (null, null);
        try
        {
            Check(before, drift);
            return (null, drift.Retyped.Count == 0 ? $"left out: {drift}" : $"left out, if all cells are still values of the old types: {drift}");
        }
        catch (SchemaContractException refused)
        {
            return (refused.Message, null);
        }
    }

    /// <summary>Whether all cells of columns whose type changed are still values of the old type, and no poorer for it.</summary>
    /// <param name="rows">A SELECT of what is to be published, with the source's columns.</param>
    /// <exception cref="SchemaContractException">Some are not: nothing is rounded, cut, or made NULL.</exception>
    internal static async Task CheckCellsAsync(
        DuckDBConnection connection, PublishedTable before, SchemaDrift drift, string rows, CancellationToken cancellation)
    {
        foreach (var column in drift.Retyped)
        {
            var name = SqlText.Identifier(column.Name);
            var there = $"TRY_CAST({name} AS {column.Before})";
            long misfits;
            try
            {
                misfits = await connection.ScalarAsync<long>(
                    $"SELECT count(*) FROM ({rows}) WHERE {name} IS NOT NULL AND TRY_CAST({there} AS {column.Now}) IS DISTINCT FROM {name}", cancellation);
            }
            catch (DuckDBException e) when (e.ErrorType is DuckDBErrorType.Binder or DuckDBErrorType.Conversion)
            {
                throw new SchemaContractException(before, $"{column.Name} was {column.Before}, and {column.Now} cannot be made that: {drift}", drift);
            }

            if (misfits > 0)
            {
                var cells = misfits == 1 ? "1 cell" : $"{misfits} cells";
                throw new SchemaContractException(before, $"{cells} of {column.Name} cannot be {column.Before} without a loss: {drift}", drift);
            }
        }
    }

    /// <summary>The columns of before over those of now, which have at least these.</summary>
    internal static string SelectList(PublishedTable before, SchemaDrift drift)
    {
        var retyped = drift.Retyped.Select(column => column.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return string.Join(", ", before.Columns.Select(column =>
        {
            var name = SqlText.Identifier(column.Name);
            return $"{(retyped.Contains(column.Name) ? $"CAST({name} AS {column.Type})" : name)} AS {name}";
        }));
    }
}

/// <summary>The contract of a table forbids to publish what its source brought; what was published stays.</summary>
internal sealed class SchemaContractException(PublishedTable before, string why, SchemaDrift drift) : Exception(
    $"{why}. The last good version stays. Mend the source, or take its columns: agnes admin update-table {before.Id ?? before.Name} --schema-contract evolve, "
    + "then sync it.")
{
    public SchemaDrift Drift { get; } = drift;
}
