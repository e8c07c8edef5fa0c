using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Engine.Query;
using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.Profiles;

/// <summary>A statement of a profile did not succeed.</summary>
internal sealed class ProfileFailedException(StatementStatus status) : Exception($"A statement of a profile ended with {status}.")
{
    public StatementStatus Status { get; } = status;
}

/// <summary>Makes one profile: a few statements for each batch of columns, in a scope of that one table.</summary>
internal sealed class ProfileRun(StatementRunner runner, Lease lease, NamedTable table, ScopedTable scoped, StatementLimits limits, CancellationToken stop)
{
    /// <summary>A table with more rows is looked at by a sample of so many.</summary>
    public const int SampleRowsMax = 500_000;

    private const int BatchColumnsMax = 20;
    private const int FirstRowsMax = 5;
    private const int FirstValuesMax = 5;
    private const double BytesPerMegabyte = 1 << 20;

    /// <summary>The count of duplicates looks at all rows, which a profile can do without.</summary>
    private static readonly TimeSpan DuplicatesTime = TimeSpan.FromSeconds(20);

    private readonly Scope _scope = Scope.Of([scoped]);
    private readonly bool _isSampled = table.Published!.Rows > SampleRowsMax;
    private readonly ProfileSql _sql = new(scoped.Name, table.Published.Rows > SampleRowsMax ? SampleRowsMax : null);

    /// <returns>All that follows from the version's rows and its key. What else belongs to a profile has its place, and is filled in for each asker.</returns>
    /// <exception cref="ProfileFailedException">A statement failed, or could not be had in time.</exception>
    public async Task<JsonObject> MakeAsync()
    {
        var version = table.Published!;
        // The engine takes no name that is empty or holds a NUL, so nothing can be asked about such a column.
        var columns = version.Columns.Where(column => column.Name.Length > 0 && !column.Name.Contains('\0')).Select((column, index) => new ProfiledColumn(column.Name, column.Type, index)).ToList();
        var profiles = new List<ColumnProfile>(columns.Count);
        var first = new List<JsonObject>();
        for (var size = BatchColumnsMax; profiles.Count < columns.Count;)
        {
            var batch = columns.GetRange(profiles.Count, Math.Min(size, columns.Count - profiles.Count));
            try
            {
                profiles.AddRange(await OfBatchAsync(batch, first));
            }
            catch (ProfileFailedException failure) when (batch.Count > 1 && failure.Status is StatementStatus.OutOfMemory or StatementStatus.TooLarge)
            {
                size = batch.Count / 2; // fewer columns at once need less memory
            }
        }

        var key = ProfileText.KeyColumnsOf(table);
        foreach (var profile in profiles) profile.IsKey = key.Contains(profile.Column.Name, StringComparer.OrdinalIgnoreCase);
        var duplicates = await DuplicatesAsync(profiles, key.Count);
        var looked = profiles.Count == 0 ? version.Rows : profiles[0].Rows;
        var missing = profiles.Sum(profile => profile.Nulls);
        var alerts = profiles.SelectMany(profile => profile.Alerts().Select(alert => new JsonObject { ["column"] = profile.Column.Name, ["type"] = alert.Type, ["message"] = alert.Message }));
        return new JsonObject
        {
            ["table_id"] = "",
            ["description"] = "",
            ["primary_key"] = ProfileText.KeyOf(table),
            ["sync_strategy"] = "none",
            ["row_count"] = version.Rows,
            ["column_count"] = version.Columns.Count,
            ["file_size_mb"] = ColumnProfile.Rounded(version.Bytes / BytesPerMegabyte),
            ["avg_completeness"] = ColumnProfile.Rounded(profiles.Count == 0 ? 100 : profiles.Average(profile => profile.Completeness)),
            ["missing_cells"] = missing,
            ["missing_cells_pct"] = ColumnProfile.Rounded(looked == 0 || profiles.Count == 0 ? 0 : 100.0 * missing / (looked * profiles.Count)),
            ["duplicate_rows"] = duplicates,
            ["variable_types"] = new JsonObject(profiles.GroupBy(profile => profile.Column.Category).OrderBy(group => group.Key)
                .Select(group => KeyValuePair.Create(ColumnProfile.NameOf(group.Key), (JsonNode?)group.Count()))),
            ["date_range"] = ColumnProfile.RangeOf(profiles),
            ["alerts"] = new JsonArray([.. alerts]),
            ["sampled"] = _isSampled,
            ["sampled_rows"] = _isSampled ? looked : null,
            ["last_sync"] = null,
            ["related_tables"] = new JsonArray(),
            ["used_by_metrics"] = new JsonArray(),
            ["columns"] = new JsonArray([.. profiles.Select(profile => (JsonNode)profile.ToJson())]),
            ["sample_rows"] = new JsonArray([.. first.Select(row => (JsonNode)row)]),
        };
    }

    private async Task<List<ColumnProfile>> OfBatchAsync(List<ProfiledColumn> columns, List<JsonObject> first)
    {
        using var measures = await RunAsync(_sql.Measures(columns));
        var cells = measures.RootElement.GetProperty("rows")[0].EnumerateArray().GetEnumerator();
        cells.MoveNext();
        var rows = cells.Current.GetInt64();
        var profiles = columns.Select(column => ColumnProfile.Read(column, rows, _isSampled, ref cells)).ToList();
        var counted = profiles.Where(profile => profile.Counted is not null).ToList();
        if (counted.Count > 0)
        {
            using var counts = await RunAsync(_sql.Counts([.. counted.Select(profile => (profile.Column, profile.Counted!))]));
            foreach (var (place, cell) in counts.RootElement.GetProperty("rows")[0].EnumerateArray().Index()) counted[place].ReadCounts(cell);
        }

        using var texts = await RunAsync(_sql.FirstRows(columns));
        AddFirstRows([.. texts.RootElement.GetProperty("rows").EnumerateArray()], profiles, first);
        return profiles;
    }

    private static void AddFirstRows(JsonElement[] rows, List<ColumnProfile> profiles, List<JsonObject> first)
    {
        while (first.Count < Math.Min(rows.Length, FirstRowsMax)) first.Add([]);
        foreach (var (place, profile) in profiles.Index())
        {
            profile.Values = [.. rows.Select(row => row[place].GetString()).OfType<string>().Distinct(StringComparer.Ordinal).Take(FirstValuesMax)];
            for (var row = 0; row < first.Count; row++) first[row][profile.Column.Name] = rows[row][place].GetString();
        }
    }

    /// <returns>Null where it cannot be said.</returns>
    private async Task<long?> DuplicatesAsync(List<ColumnProfile> profiles, int keyColumns)
    {
        var key = profiles.Where(profile => profile.IsKey).ToList();
        if (keyColumns == 0) return 0;
        if (key.Count < keyColumns) return null;
        if (key.Count == 1 && !_isSampled) return key[0].Rows - key[0].Unique - (key[0].Nulls > 0 ? 1 : 0);
        try
        {
            using var answer = await RunAsync(_sql.Duplicates([.. key.Select(profile => profile.Column)]), DuplicatesTime);
            return answer.RootElement.GetProperty("rows")[0][0].GetInt64();
        }
        catch (ProfileFailedException failure) when (failure.Status is StatementStatus.TimedOut or StatementStatus.OutOfMemory)
        {
            return null;
        }
    }

    private async Task<JsonDocument> RunAsync(string sql, TimeSpan? time = null)
    {
        using var answer = new MemoryStream();
        var output = PipeWriter.Create(answer, new StreamPipeWriterOptions(leaveOpen: true));
        var outcome = await runner.RunAsync(lease, _scope, sql, ProfileSql.RowsLooked, output, limits with { Time = time ?? limits.Time }, stop);
        await output.CompleteAsync();
        if (!outcome.IsOk) throw new ProfileFailedException(outcome.Status);
        answer.Position = 0;
        return await JsonDocument.ParseAsync(answer, cancellationToken: stop);
    }
}
