using System.Globalization;
using Agnes.Connectors.Answers;
using Agnes.Connectors.Files;
using Agnes.Engine.Extracts;
using Agnes.Engine.Query.Remote;
using Agnes.Protocol;

namespace Agnes.Connectors.Databases;

/// <summary>One table of one run.</summary>
internal sealed class TablePull(IDatabase database, TableConfig table, ExtractWriter writer, IProgress<ExtractEvent> progress)
{
    private const long DaySeconds = 86_400;

    /// <summary>A chunk becomes a part: as large as the memory of one run allows.</summary>
    private const long ChunkBytes = 8L << 20;

    private readonly DateTime _now = writer.Time.GetUtcNow().UtcDateTime;
    private readonly string _folder = Path.Combine(writer.TempFolder, $"pulled-{table.Name}");
    private DatabaseRelation _relation = null!;
    private PullPlan _plan = null!;

    public async Task<ExtractTable> RunAsync(CancellationToken cancellation)
    {
        if (!Identifiers.IsStrict(table.Name)) throw new TableException($"'{table.Name}' cannot be the name of a table.");
        progress.Report(new ExtractEvent("table_started", table.Name));
        var settings = TableSettings.Of(table, DateOnly.FromDateTime(_now));
        _relation = new DatabaseRelation(settings.Schema ?? database.SchemaDefault, settings.Table);
        _plan = PullPlan.Of(settings, await database.DescribeAsync(_relation, cancellation));
        try
        {
            var previous = writer.Previous.GetValueOrDefault(table.Name);
            var cursor = PullCursor.Read(previous?.Cursor);
            return !_plan.GoesOn(previous, cursor) ? await WholeAsync(cancellation)
                : _plan.ReplacesPartitions ? await NewestPartitionsAsync(previous!, cursor!, cancellation)
                : await ChangesAsync(previous!, cursor!, cancellation);
        }
        finally
        {
            if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
        }
    }

    /// <summary>All of the table, or of the history that is wanted.</summary>
    private async Task<ExtractTable> WholeAsync(CancellationToken cancellation)
    {
        var conditions = _plan.Settings.Filters.Select(Condition).ToList();
        if (_plan is { By: { } by, Settings.HistoryDays: { } days } && _plan.Kind != PositionKind.Number)
            conditions.Add(AtLeast(by, Position.OfTime(_plan.Kind, _now.AddDays(-days))));
        var (files, rows) = await ReadAsync("rows", _plan.Table.Columns, conditions.Count == 0 ? null : string.Join(" AND ", conditions), cancellation);
        if (_plan.By is null)
        {
            var (parts, columns) = await AnswerParts.TakeAsync(table, files, areOurs: true, writer, progress, cancellation);
            return new ExtractTable(table.Name, table.Description, table.QueryMode, _now, columns, parts, []);
        }

        var source = TableSource.FromParts(files);
        var width = await WidthAsync(source, rows, cancellation);
        var partition = _plan.Partition(width);
        var loaded = _plan.Keys.Count == 0 || _plan.AreKeysUnique
            ? await PartMerge.LoadAsync(writer, partition, source, _plan.Stored, cancellation, place => _plan.Narrowing(width, place))
            : await MergeOf(partition, removed: null).RunAsync(writer, null, source, _plan.Stored, cancellation);
        return Done(loaded, await SeenAsync(source, null, cancellation), Seconds(_now), width);
    }

    /// <summary>What is new or changed, and, now and then, what is there no more.</summary>
    private async Task<ExtractTable> ChangesAsync(ExtractTable previous, PullCursor cursor, CancellationToken cancellation)
    {
        var isReconciled = _plan.Settings.ReconcileDays is { } every && Seconds(_now) - cursor.Reconciled >= every * DaySeconds;
        // Keys come first: what is written between the two is then in the second.
        var keys = isReconciled ? (await ReadAsync("keys", _plan.Keys, null, cancellation)).Files : null;
        var since = new Position(_plan.Kind, Int128.Parse(cursor.Since!, CultureInfo.InvariantCulture));
        var (files, rows) = await ReadAsync("rows", _plan.Table.Columns, AtLeast(_plan.By!, since.Before(_plan.Settings.Lag)), cancellation);
        var (source, parts) = (TableSource.FromParts(files), previous.Parts);
        if (rows > 0 || keys is not null)
            parts = await MergeOf(_plan.Partition(cursor.Width), keys is null ? null : Gone(previous, keys)).RunAsync(
                writer, previous, source, _plan.Stored, cancellation);
        return Done(parts, await SeenAsync(source, cursor.Since, cancellation), isReconciled ? Seconds(_now) : cursor.Reconciled, cursor.Width);
    }

    /// <summary>The newest partitions are read whole and take the place of those that were there.</summary>
    private async Task<ExtractTable> NewestPartitionsAsync(ExtractTable previous, PullCursor cursor, CancellationToken cancellation)
    {
        var since = new Position(_plan.Kind, Int128.Parse(cursor.Since!, CultureInfo.InvariantCulture)).Before(TimeSpan.FromDays(_plan.Settings.WindowDays));
        var start = Position.OfTime(_plan.Kind, StartOf(since.Time));
        var (files, _) = await ReadAsync("rows", _plan.Table.Columns, AtLeast(_plan.By!, start), cancellation);
        var source = TableSource.FromParts(files);
        var loaded = await PartMerge.LoadAsync(writer, _plan.Partition(null), source, _plan.Stored, cancellation);
        var first = NameOf(start.Time);
        // What has no date, or one without end, sorts after all dates, and was read too.
        var kept = previous.Parts.Where(part => part.Key is { } key && string.CompareOrdinal(key, first) < 0 && char.IsAsciiDigit(key[0])).ToList();
        var taken = loaded.Where(part => part.Part.Rows > 0 || kept.Count == 0);
        return Done([.. kept, .. taken], await SeenAsync(source, cursor.Since, cancellation), Seconds(_now), null);
    }

    private async Task<(IReadOnlyList<string> Files, long Rows)> ReadAsync(
        string name, IReadOnlyList<DatabaseColumn> columns, string? where, CancellationToken cancellation)
    {
        Directory.CreateDirectory(_folder);
        var folder = Path.Combine(_folder, name);
        await using var answer = await AnswerFiles.OpenAsync(folder, [.. columns.Select(column => column.Stored)], long.MaxValue, cancellation, ChunkBytes);
        var rows = await database.ReadAsync(
            _relation, columns, where, answer, got => progress.Report(new ExtractEvent("table_progress", table.Name, got, Phase: name)), cancellation);
        await answer.CompleteAsync(cancellation);
        foreach (var remark in rows.Remarks)
        {
            writer.Warn($"{table.Name}: {remark}");
            progress.Report(new ExtractEvent("warning", table.Name, Message: remark));
        }

        return (AnswerFiles.In(folder), rows.Count);
    }

    private PartMerge MergeOf(string? partition, string? removed) => new([.. _plan.Keys.Select(key => key.Stored.Name)], partition, removed)
    {
        FollowsKey = _plan.KeyOfParts is not null && partition is not null,
    };

    private string Gone(ExtractTable previous, IReadOnlyList<string> keys)
    {
        var names = string.Join(", ", _plan.Keys.Select(key => SqlText.Identifier(key.Stored.Name)));
        return $"SELECT {names} FROM {writer.Read(previous.Parts)} EXCEPT SELECT {names} FROM ({TableSource.FromParts(keys)})";
    }

    private async Task<long?> WidthAsync(string source, long rows, CancellationToken cancellation)
    {
        if (_plan.KeyOfParts is not { } key) return null;
        var name = SqlText.Identifier(key);
        var range = await writer.Connection.ScalarAsync<string>(
            $"SELECT CAST(coalesce(max({name})::HUGEINT - min({name})::HUGEINT, 0) + 1 AS VARCHAR) FROM ({source})", cancellation);
        return PullPlan.WidthOf(rows, Int128.Parse(range!, CultureInfo.InvariantCulture));
    }

    /// <summary>The largest value of the column that says how far was read.</summary>
    private async Task<string?> SeenAsync(string source, string? before, CancellationToken cancellation)
    {
        var by = SqlText.Identifier(_plan.By!.Stored.Name);
        var value = _plan.Kind == PositionKind.Number ? by : $"CASE WHEN isfinite({by}) THEN epoch_us({by}) END";
        var seen = await writer.Connection.QueryAsync(
            $"SELECT CAST(max({value}) AS VARCHAR) FROM ({source})", row => row.IsDBNull(0) ? null : row.GetString(0), cancellation);
        if (seen[0] is not { } largest) return before;
        return before is not null && Int128.Parse(before, CultureInfo.InvariantCulture) > Int128.Parse(largest, CultureInfo.InvariantCulture) ? before : largest;
    }

    /// <summary>A row without a value may have changed at any time.</summary>
    private string AtLeast(DatabaseColumn column, Position position)
    {
        var name = database.Quote(column.Stored.Name);
        var condition = $"{name} >= {database.Literal(position)}";
        return column.IsNullable ? $"({condition} OR {name} IS NULL)" : condition;
    }

    private string Condition((string Column, string Operator, IReadOnlyList<string> Values) filter)
    {
        var column = _plan.Table.Columns.FirstOrDefault(one => string.Equals(one.Stored.Name, filter.Column, StringComparison.OrdinalIgnoreCase))
            ?? throw new TableException($"where_filters names '{filter.Column}', and the table there has no such column.");
        var sign = filter.Operator switch { "ne" => "<>", "gt" => ">", "ge" => ">=", "lt" => "<", "le" => "<=", _ => "=" };
        var joint = filter.Operator == "ne" ? " AND " : " OR ";
        return $"({string.Join(joint, filter.Values.Select(value => $"{database.Quote(column.Stored.Name)} {sign} {database.Literal(value)}"))})";
    }

    private DateTime StartOf(DateTime time) => _plan.Settings.Granularity switch
    {
        "day" => time.Date,
        "year" => new DateTime(time.Year, 1, 1, 0, 0, 0, DateTimeKind.Utc),
        _ => new DateTime(time.Year, time.Month, 1, 0, 0, 0, DateTimeKind.Utc),
    };

    private string NameOf(DateTime time) => time.ToString(
        _plan.Settings.Granularity switch { "day" => "yyyy_MM_dd", "year" => "yyyy", _ => "yyyy_MM" }, CultureInfo.InvariantCulture);

    private static long Seconds(DateTime time) => (long)(time - DateTime.UnixEpoch).TotalSeconds;

    private ExtractTable Done(IReadOnlyList<ExtractPart> parts, string? since, long reconciled, long? width) =>
        new(table.Name, table.Description, table.QueryMode, _now, _plan.Stored, parts, [])
        {
            Cursor = new PullCursor(since, _plan.Hash, reconciled, width).Write(),
        };
}
