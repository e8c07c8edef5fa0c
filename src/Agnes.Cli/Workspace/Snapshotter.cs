using System.Globalization;
using System.Security.Cryptography;
using Agnes.Cli.Output;
using Agnes.Cli.Sessions;
using Agnes.Cli.Settings;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Cli.Workspace;

/// <summary>What a snapshot is taken for.</summary>
internal enum SnapshotPurpose
{
    /// <summary>There is none of the name.</summary>
    New,

    /// <summary>Whatever has the name is replaced, and the quota disregarded.</summary>
    Replace,

    /// <summary>The same request again.</summary>
    Refresh,
}

/// <summary>
/// Takes snapshots: of a table that is in the workspace by a local query, of any other by the server's scan. The file comes first, under a name that
/// nothing refers to; then file, record and view are exchanged under the locks.
/// </summary>
internal sealed class Snapshotter(Host host, Layout layout)
{
    private const string ParquetType = "application/vnd.apache.parquet";
    private const int LegacyHashBytes = 1_000_000;
    private const double GigabyteBytes = 1 << 30;
    private static readonly TimeSpan ScanIdle = TimeSpan.FromSeconds(600);
    private static readonly TimeSpan LockWaitMax = TimeSpan.FromMinutes(5);

    /// <summary>The name under which the workspace has the table; null where it has none.</summary>
    public string? LocalName(string tableId)
    {
        var (state, _) = PullState.Read(layout);
        var tables = state.Servers.Values.SelectMany(server => server.Tables).Where(table => table.Value.Problem is null).ToList();
        return tables.Find(table => table.Key == tableId).Key ?? tables.Find(table => table.Value.Id == tableId).Key ?? tables.Find(table => table.Key.Equals(tableId, StringComparison.OrdinalIgnoreCase)).Key;
    }

    /// <exception cref="CliException">The name is that of a table.</exception>
    public void RefuseTableNames(string name)
    {
        using var session = LocalSession.Open(layout, [], host.Clock);
        if (!session.TableNames().Contains(name, StringComparer.OrdinalIgnoreCase) || SnapshotFiles.Read(layout, name) is not null) return;
        throw new CliException($"'{name}' is the name of a table in this workspace.", ExitCode.Usage) { Hint = "Choose another one: --as <name>" };
    }

    /// <param name="scanBytes">What the estimate said, to be remembered.</param>
    public async Task<SnapshotRecord> TakeAsync(string name, SnapshotRequest request, long scanBytes, SnapshotPurpose purpose, CancellationToken cancellation)
    {
        var mayReplace = purpose != SnapshotPurpose.New;
        layout.RefuseLinks();
        Directory.CreateDirectory(layout.Snapshots);
        AtomicFile.RemoveLeftovers(layout.Snapshots);
        var temporary = Path.Combine(layout.Snapshots, string.Create(CultureInfo.InvariantCulture, $".{name}.{Environment.ProcessId}.tmp"));
        try
        {
            var asOf = LocalName(request.TableId) is { } local ? TakeLocally(request, local, temporary) : await ScanAsync(request, temporary, purpose, cancellation);
            if (!mayReplace) RefuseOverQuota(new FileInfo(temporary).Length);
            var now = Stamp(host.Clock.GetUtcNow());
            var record = new SnapshotRecord(
                name, request.TableId, request.Select, request.Where, request.Limit, request.OrderBy, now, asOf ?? now, Rows(temporary), new FileInfo(temporary).Length, scanBytes,
                await LegacyHashAsync(temporary, cancellation), await ContentHash.Sha256Async(temporary, cancellation));
            using (Lock())
            {
                if (!mayReplace) RefuseExisting(name);
                SnapshotFiles.MarkChanged(layout);
                await AtomicFile.ReplaceAsync(temporary, SnapshotFiles.DataPath(layout, name), cancellation);
                await SnapshotFiles.WriteAsync(layout, record, cancellation);
            }

            await RebuildViewsAsync(cancellation);
            return record;
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <exception cref="CliException">There is one already.</exception>
    public void RefuseExisting(string name)
    {
        if (File.Exists(SnapshotFiles.RecordPath(layout, name))) throw new CliException($"There is a snapshot '{name}' already.", ExitCode.Exists) { Hint = $"Use it, take it anew with 'agnes snapshot refresh {name}', replace it with --force, or choose another name with --as." };
    }

    /// <param name="bytes">What is to come.</param>
    public void RefuseOverQuota(long bytes)
    {
        var used = Directory.Exists(layout.Snapshots) ? new DirectoryInfo(layout.Snapshots).EnumerateFiles("*.parquet").Sum(file => file.Length) : 0;
        if (used + bytes <= EnvironmentNumbers.SnapshotQuotaGb * GigabyteBytes) return;
        throw new CliException($"The snapshots would take {Output.Columns.Bytes(used + bytes)}; AGNES_SNAPSHOT_QUOTA_GB allows {EnvironmentNumbers.SnapshotQuotaGb} GB.") { Hint = "Drop some (agnes snapshot list, agnes snapshot drop), narrow this one, or insist with --force." };
    }

    public async Task DropAsync(IReadOnlyCollection<string> names, CancellationToken cancellation)
    {
        using (Lock())
        {
            SnapshotFiles.MarkChanged(layout);
            foreach (var name in names)
            {
                // The record first: a file without one is no snapshot, a record without a file is one that lost it.
                File.Delete(SnapshotFiles.RecordPath(layout, name));
                File.Delete(SnapshotFiles.DataPath(layout, name));
            }
        }

        if (File.Exists(layout.Database)) await RebuildViewsAsync(cancellation);
    }

    /// <summary>The local database anew, with the tables that the last pull brought and the snapshots as they are now.</summary>
    private async Task RebuildViewsAsync(CancellationToken cancellation)
    {
        using var taken = await PullLock.TakeAsync(layout, WhenBusy, host.Clock, cancellation);
        var (state, _) = await PullState.LoadAsync(layout, cancellation);
        var tables = state.Servers.Values.SelectMany(server => server.Tables).DistinctBy(table => table.Key, StringComparer.OrdinalIgnoreCase).ToList();
        var offered = tables.SelectMany(table => (string?[])[table.Key, table.Value.Id])
            .Concat(state.Servers.Values.SelectMany(server => server.Elsewhere ?? []).SelectMany(table => (string?[])[table.Name, table.Id]))
            .OfType<string>().ToHashSet(StringComparer.OrdinalIgnoreCase);
        var warnings = new List<string>();
        var built = await new LocalDatabase(layout, host.Clock).RebuildAsync(WorkspaceCommit.Views(layout, tables), [.. tables.Select(table => table.Key)], SnapshotFiles.Usable(layout, offered, warnings), cancellation);
        SnapshotFiles.ClearChanged(layout);
        foreach (var warning in warnings.Concat(built.Warnings).Concat(built.Refused.Select(table => $"{table.Table}: DuckDB cannot read it: {table.Error}"))) host.Error.WriteLine($"warn: {DisplayText.Message(warning)}");
    }

    private bool WhenBusy()
    {
        host.Error.WriteLine("A pull is at work in this workspace; waiting for it.");
        return true;
    }

    /// <returns>The time that the rows stand for.</returns>
    private string? TakeLocally(SnapshotRequest request, string table, string target)
    {
        using var session = LocalSession.Open(layout, [], host.Clock);
        var (path, _) = session.WriteParquet(request.ToSql(table), limit: null);
        File.Move(path, target, overwrite: true);
        var (state, _) = PullState.Read(layout);
        return state.Servers.Values.Select(server => server.Tables.GetValueOrDefault(table)?.Updated).OfType<string>().Select(WithOffset).FirstOrDefault();
    }

    /// <summary>A manifest's times mean UTC and do not say so.</summary>
    private static string WithOffset(string time) =>
        DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var known) ? Stamp(known) : time;

    private async Task<string?> ScanAsync(SnapshotRequest request, string target, SnapshotPurpose purpose, CancellationToken cancellation)
    {
        var answer = await host.Api.DownloadAsync("/api/v2/scan", request.ToJson(), ParquetType, target, ScanIdle, cancellation);
        if (!answer.Response.IsSuccess) throw SnapshotErrors.Of(answer.Response, request.TableId, purpose);
        if (answer.MediaType != ParquetType) throw new CliException($"The server sent '{answer.MediaType}' and cannot send Parquet.", ExitCode.SnapshotFailed) { Hint = "It is older than this program; ask its operator to upgrade it." };
        if (answer.Truncated is not null) host.Error.WriteLine("warn: the server cut the result at its limit of bytes; narrow --where, or take fewer columns with --select");
        return answer.AsOf;
    }

    /// <exception cref="CliException">What came is no Parquet file.</exception>
    private static long Rows(string path)
    {
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        try
        {
            using var command = new DuckDBCommand($"SELECT count(*) FROM ({TableSource.FromParts([path])})", connection);
            using var reader = command.ExecuteReader();
            return reader.Read() ? reader.GetInt64(0) : 0;
        }
        catch (DuckDBException problem)
        {
            throw new CliException($"What the server sent is not a Parquet file: {problem.Message.Split('\n', 2)[0]}", ExitCode.SnapshotFailed);
        }
    }

    private FileStream Lock() =>
        FileLock.TryTake(layout, SnapshotFiles.LockPath(layout), LockWaitMax, host.Clock) ?? throw new CliException($"Another snapshot command has held {SnapshotFiles.LockPath(layout)} for {LockWaitMax.TotalMinutes:0} minutes.");

    private static async Task<string> LegacyHashAsync(string path, CancellationToken cancellation)
    {
        await using var file = File.OpenRead(path);
        var head = new byte[(int)Math.Min(LegacyHashBytes, file.Length)];
        await file.ReadExactlyAsync(head, cancellation);
        return Convert.ToHexStringLower(MD5.HashData(head));
    }

    private static string Stamp(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'+00:00'", CultureInfo.InvariantCulture);
}
