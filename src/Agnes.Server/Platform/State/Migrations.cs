using System.Data.Common;
using System.Reflection;
using System.Text;
using Agnes.Server.Platform.State.Engines;
using Dapper;

namespace Agnes.Server.Platform.State;

/// <summary>
/// Changes of the schema: embedded files <c>yyyyMMddHHmm_feature.sql</c>, applied in the order of their names, each in one transaction with its record. Statements end with
/// <c>;</c> at the end of a line. Lines that start with <c>-- pg:</c> are run on PostgreSQL only.
/// </summary>
public static class Migrations
{
    private const string PostgresMark = "-- pg:";

    internal const string CreateSql = "CREATE TABLE IF NOT EXISTS migrations (name VARCHAR PRIMARY KEY, applied_at TIMESTAMP NOT NULL)";

    /// <summary>Names without <c>.sql</c>, in order.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Resources().Keys.Order(StringComparer.Ordinal)];

    internal static async Task ApplyAsync(StateStore store, TimeProvider time, ILogger logger, CancellationToken cancellation)
    {
        await using var alone = await store.LockForMigrationAsync(cancellation);
        await RunAsync(store, [CreateSql, StateVersion.CreateSql, StateVersion.InsertSql], null, time, cancellation);
        HashSet<string> applied;
        await using (var reader = await store.ReaderAsync(cancellation))
        {
            applied = (await reader.Connection.QueryAsync<string>(new("SELECT name FROM migrations", cancellationToken: cancellation))).ToHashSet(StringComparer.Ordinal);
        }
        if (applied.Except(All).Order(StringComparer.Ordinal).FirstOrDefault() is { } unknown) throw new StateRefusedException(
            $"The state was written by a newer version of agnes-server (migration {unknown}). Nothing was changed. Start that version, or restore an older backup: agnes-server restore --from FILE");
        var resources = Resources();
        foreach (var name in All.Where(name => !applied.Contains(name)))
        {
            await RunAsync(store, Statements(ReadText(resources[name]), store.Engine), name, time, cancellation);
            StateLog.Migrated(logger, name);
        }
    }

    /// <summary>All statements that make an empty database one of this version, without the record of it.</summary>
    internal static IEnumerable<string> Schema(StateEngine engine)
    {
        var resources = Resources();
        return [CreateSql, StateVersion.CreateSql, .. All.SelectMany(name => Statements(ReadText(resources[name]), engine))];
    }

    internal static IReadOnlyList<string> Statements(string text, StateEngine engine)
    {
        var statements = new List<string>();
        var statement = new StringBuilder();
        foreach (var raw in text.Split('\n'))
        {
            var line = raw.Trim();
            if (line.StartsWith(PostgresMark, StringComparison.Ordinal)) line = engine == StateEngine.Postgres ? line[PostgresMark.Length..].Trim() : "";
            else if (line.StartsWith("--", StringComparison.Ordinal)) line = "";
            if (line.Length == 0) continue;
            statement.Append(line.TrimEnd(';')).Append('\n');
            if (!line.EndsWith(';')) continue;
            statements.Add(statement.ToString().Trim());
            statement.Clear();
        }
        if (statement.Length > 0) throw new FormatException($"A migration ends within a statement: {statement}");
        return statements;
    }

    private static async Task RunAsync(StateStore store, IReadOnlyList<string> statements, string? name, TimeProvider time, CancellationToken cancellation)
    {
        await using var transaction = await store.BeginAsync(cancellation);
        foreach (var statement in statements) await store.ExecuteSchemaAsync(transaction, statement, cancellation);
        if (name is not null)
        {
            const string Sql = "INSERT INTO migrations (name, applied_at) VALUES (@name, @now)";
            await transaction.Connection.ExecuteAsync(new(Sql, new { name, now = time.Micros() }, transaction.Transaction, cancellationToken: cancellation));
        }
        await transaction.CommitAsync(raise: false, cancellation);
    }

    private static Dictionary<string, string> Resources()
    {
        const string Folder = ".Migrations.", Suffix = ".sql";
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var resource in Assembly.GetExecutingAssembly().GetManifestResourceNames())
        {
            var at = resource.LastIndexOf(Folder, StringComparison.Ordinal);
            if (at >= 0 && resource.EndsWith(Suffix, StringComparison.Ordinal)) found.Add(resource[(at + Folder.Length)..^Suffix.Length], resource);
        }
        return found;
    }

    private static string ReadText(string resource)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource) ?? throw new InvalidOperationException($"{resource} is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
