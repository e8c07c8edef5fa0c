using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Protocol;
using Agnes.Server.Platform.State.Engines;
using DuckDB.NET.Data;

namespace Agnes.Server.Platform.State.Maintenance;

/// <param name="Problems">What is wrong, in words.</param>
/// <param name="Notes">What is only worth knowing.</param>
public sealed record VerifyReport(IReadOnlyList<string> Problems, IReadOnlyList<string> Notes, int Versions, int Parts);

/// <summary>Compares the state with itself, with the part store and with the extracts. Opens the state as a start does, so it also says whether the server would start.</summary>
public static class Verify
{
    /// <param name="hashes">Also reads every part and compares its SHA-256 (and the MD5 of one-part tables).</param>
    public static async Task<VerifyReport> RunAsync(StateOptions options, bool hashes, CancellationToken cancellation = default)
    {
        await using var state = await StateDb.OpenAsync(options, cancellation: cancellation);
        return await RunAsync(state, new(options.DataDir), hashes, cancellation);
    }

    public static async Task<VerifyReport> RunAsync(StateDb state, DataFolder folder, bool hashes, CancellationToken cancellation = default)
    {
        var problems = new List<string>();
        var notes = new List<string>();
        var snapshot = state.Snapshot;
        await using (var reader = await state.Store.ReaderAsync(cancellation))
        {
            if (reader.Connection is DuckDBConnection connection) problems.AddRange(await StateTables.CheckAsync(connection, keyedOnly: false, cancellation));
        }
        foreach (var (sql, what) in Orphans)
        {
            foreach (var row in await state.ReadAsync<string>(sql, cancellation: cancellation)) problems.Add(string.Format(System.Globalization.CultureInfo.InvariantCulture, what, row));
        }
        if (state.Store is DuckDbStore embedded) CheckMark(embedded, problems);
        var versions = snapshot.Kept.Values.SelectMany(kept => kept.ByNumber.Values).OrderBy(version => version.Name, StringComparer.Ordinal).ThenBy(version => version.Number).ToList();
        foreach (var version in versions) CheckVersion(version, problems);
        var named = await CheckPartsAsync(new(folder), versions, hashes, problems, cancellation);
        NoteStrays(folder, named, notes);
        NoteExtracts(folder, snapshot, notes);
        return new(problems, notes, versions.Count, named.Count);
    }

    private static readonly (string Sql, string What)[] Orphans =
    [
        ("SELECT m.user_id || ' in ' || m.group_id FROM user_group_members AS m WHERE NOT EXISTS (SELECT 1 FROM user_groups AS g WHERE g.id = m.group_id)", "the membership {0} names a group that does not exist"),
        ("SELECT m.user_id || ' in ' || m.group_id FROM user_group_members AS m WHERE NOT EXISTS (SELECT 1 FROM users AS u WHERE u.id = m.user_id)", "the membership {0} names a user that does not exist"),
        ("SELECT r.id FROM resource_grants AS r WHERE NOT EXISTS (SELECT 1 FROM user_groups AS g WHERE g.id = r.group_id)", "the grant {0} names a group that does not exist"),
        ("SELECT t.id FROM personal_access_tokens AS t WHERE NOT EXISTS (SELECT 1 FROM users AS u WHERE u.id = t.user_id)", "the token {0} names a user that does not exist"),
        ("SELECT DISTINCT p.name FROM version_parts AS p WHERE NOT EXISTS (SELECT 1 FROM table_versions AS v WHERE v.name = p.name AND v.number = p.number)", "parts of the table {0} belong to no version"),
        ("SELECT DISTINCT l.job_id FROM job_log AS l WHERE NOT EXISTS (SELECT 1 FROM jobs AS j WHERE j.id = l.job_id)", "log lines belong to the job {0}, which does not exist"),
    ];

    private static void CheckMark(DuckDbStore store, List<string> problems)
    {
        var mark = CommitMark.Read(store.Files.Mark);
        if (mark != store.Commits) problems.Add($"{store.Files.Mark} says {mark} commits, the state has {store.Commits}");
    }

    private static void CheckVersion(PublishedVersion version, List<string> problems)
    {
        var title = $"the version {version.Number} of {version.Name}";
        if (version.PartsDigest != PartsList.Digest(version.Parts)) problems.Add($"{title} has a digest that is not that of its parts");
        if (version.Parts.Count > 0 && version.Parts.Sum(part => part.Rows) != version.Rows) problems.Add($"{title} has {version.Rows} rows, its parts {version.Parts.Sum(part => part.Rows)}");
        if (version.Parts.Count > 0 && version.Parts.Sum(part => part.SizeBytes) != version.Bytes) problems.Add($"{title} has {version.Bytes} bytes, its parts {version.Parts.Sum(part => part.SizeBytes)}");
        if (version.Columns.Count == 0) problems.Add($"{title} has no columns");
        if (version.Parts.Count == 0 && version.QueryMode != "remote") problems.Add($"{title} has no parts");
    }

    private static async Task<IReadOnlySet<string>> CheckPartsAsync(PartStore store, IReadOnlyList<PublishedVersion> versions, bool hashes, List<string> problems, CancellationToken cancellation)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var version in versions)
        {
            foreach (var part in version.Parts)
            {
                if (!seen.Add(part.Sha256)) continue;
                var title = $"the part {part.Name} of {version.Name} ({store.PathOf(part.Sha256)})";
                var found = FileStamp.TryOf(store.PathOf(part.Sha256));
                if (found is null) problems.Add($"{title} is missing");
                else if (found.Value.Size != part.SizeBytes) problems.Add($"{title} has {found.Value.Size} bytes instead of {part.SizeBytes}");
                else if (hashes && await ContentHash.Sha256Async(store.PathOf(part.Sha256), cancellation) is var actual && actual != part.Sha256) problems.Add($"{title} has the SHA-256 {actual}");
                else if (hashes && version is { Md5: { } md5, Parts.Count: 1 } && await ContentHash.Md5Async(store.PathOf(part.Sha256), cancellation) != md5) problems.Add($"{title} does not have the MD5 {md5}");
                else if (!hashes && store.Proven(part.Sha256, part.SizeBytes) is null && store.TryProve(part.Sha256, part.SizeBytes) is null) problems.Add($"{title} was changed after it was published");
            }
        }
        return seen;
    }

    private static void NoteStrays(DataFolder folder, IReadOnlySet<string> named, List<string> notes)
    {
        if (!Directory.Exists(folder.Parts)) return;
        var strays = new PartStore(folder).All().Where(part => !named.Contains(part.Sha256)).ToList();
        if (strays.Count > 0) notes.Add($"{strays.Count} parts ({strays.Sum(part => part.Stamp.Size)} bytes) belong to no version; the next sweep removes them");
        var incoming = Directory.Exists(folder.Incoming) ? Directory.GetDirectories(folder.Incoming).Length : 0;
        if (incoming > 0) notes.Add($"{incoming} unfinished runs left files in {folder.Incoming}; the next start removes them");
    }

    private static void NoteExtracts(DataFolder folder, Snapshot snapshot, List<string> notes)
    {
        foreach (var source in snapshot.Published.Values.Select(version => version.Source).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            if (!File.Exists(folder.ExtractFile(source))) notes.Add($"the extract {folder.ExtractFile(source)} is gone; its published tables stay until its next run");
        }
    }
}
