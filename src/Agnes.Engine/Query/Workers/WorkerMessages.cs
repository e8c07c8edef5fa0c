using Agnes.Protocol;
using Agnes.Sql;

namespace Agnes.Engine.Query.Workers;

/// <summary>A worker's fixed share, given once.</summary>
internal sealed record WorkerShare(long MemoryBytes, int Threads, string TempFolder, long TempBytes, int Niceness)
{
    public ReadOnlyMemory<byte> Write(FrameWriter frame) =>
        frame.Start(FrameKind.Configure).Long(MemoryBytes).Int(Threads).Text(TempFolder).Long(TempBytes).Int(Niceness).End();

    public static WorkerShare Read(ReadOnlySpan<byte> payload)
    {
        var frame = new FrameReader(payload);
        return new WorkerShare(frame.Long(), frame.Int(), frame.Text(), frame.Long(), frame.Int());
    }
}

/// <param name="Columns">Of a table with a tail; else none, since the files say them.</param>
/// <param name="Key">Of the tail; empty where there is none.</param>
/// <param name="Tail">The tail's runs, oldest first.</param>
internal sealed record WorkerTable(string Name, IReadOnlyList<string> Paths, IReadOnlyList<string> Columns, string Key, IReadOnlyList<TailPaths> Tail)
{
    /// <summary>All files that a sandbox of it opens.</summary>
    public IEnumerable<string> Files => [.. Paths, .. Tail.SelectMany(run => run.Rows is null ? (string[])[run.Keys] : [run.Rows, run.Keys])];

    /// <summary>The SELECT of its rows.</summary>
    public string Select => Tail.Count == 0 ? TableSource.FromParts(Paths) : TableSource.FromPartsWithTail(Paths, Columns, Key, Tail);

    public static WorkerTable Of(ScopedTable table) => table.Tail is { } tail
        ? new WorkerTable(table.Name, table.Paths, [.. table.Columns.Select(column => column.Name)], tail.KeyColumn, tail.Runs)
        : new WorkerTable(table.Name, table.Paths, [], "", []);

    public void Write(FrameWriter frame)
    {
        frame.Text(Name).Texts(Paths).Texts(Columns).Text(Key).Texts([.. Tail.Select(run => run.Rows ?? "")]);
        frame.Texts([.. Tail.Select(run => run.Keys)]);
        foreach (var run in Tail) frame.Texts([.. run.Columns]);
    }

    public static WorkerTable Read(ref FrameReader frame)
    {
        var (name, paths, columns, key) = (frame.Text(), frame.Texts(), frame.Texts(), frame.Text());
        var (rows, keys) = (frame.Texts(), frame.Texts());
        var tail = new TailPaths[rows.Length];
        for (var i = 0; i < tail.Length; i++) tail[i] = new TailPaths(rows[i].Length > 0 ? rows[i] : null, keys[i], frame.Texts());
        return new WorkerTable(name, paths, columns, key, tail);
    }
}

/// <summary>One statement for a worker.</summary>
/// <param name="Number">Counts a worker's statements, so that an interrupt that comes late meets nobody else's.</param>
internal sealed record RunRequest(int Number, RowsForm Form, string Sql, int Limit, long ResultBytesMax, string FootprintKey, IReadOnlyList<WorkerTable> Tables)
{
    /// <summary>Where the rows go instead of into the response; empty where there is no file.</summary>
    public string File { get; init; } = "";

    /// <summary>Of rows into a file: a statement that costs nothing, of rows as wide; empty where none is known.</summary>
    public string RowsLike { get; init; } = "";

    /// <summary>It runs in a sandbox that is not kept: it writes a file, or reads some that live for it alone.</summary>
    public bool OwnSandbox => File.Length > 0 || (FootprintKey.Length == 0 && Tables.Count > 0);

    public ReadOnlyMemory<byte> Write(FrameWriter frame)
    {
        frame.Start(FrameKind.Run).Int(Number).Byte((byte)Form).Text(Sql).Int(Limit).Long(ResultBytesMax).Text(FootprintKey);
        frame.Text(File).Text(RowsLike).Int(Tables.Count);
        foreach (var table in Tables) table.Write(frame);
        return frame.End();
    }

    public static RunRequest Read(ReadOnlySpan<byte> payload)
    {
        var frame = new FrameReader(payload);
        var (number, form, sql, limit, bytes) = (frame.Int(), (RowsForm)frame.Byte(), frame.Text(), frame.Int(), frame.Long());
        var (key, file, like) = (frame.Text(), frame.Text(), frame.Text());
        var tables = new WorkerTable[frame.Int()];
        for (var i = 0; i < tables.Length; i++) tables[i] = WorkerTable.Read(ref frame);
        return new RunRequest(number, form, sql, limit, bytes, key, tables) { File = file, RowsLike = like };
    }
}

/// <param name="ProcessorMicroseconds">Of all threads, inside the engine and the writer, without making the sandbox; unlike the clock it does not count what other processes do.</param>
internal sealed record RunDone(long Rows, bool Truncated, long ProcessorMicroseconds)
{
    public ReadOnlyMemory<byte> Write(FrameWriter frame) =>
        frame.Start(FrameKind.Done).Long(Rows).Byte(Truncated ? (byte)1 : (byte)0).Long(ProcessorMicroseconds).End();

    public static RunDone Read(ReadOnlySpan<byte> payload)
    {
        var frame = new FrameReader(payload);
        return new RunDone(frame.Long(), frame.Byte() != 0, frame.Long());
    }
}

internal sealed record RunFailed(StatementStatus Status, string Message)
{
    public ReadOnlyMemory<byte> Write(FrameWriter frame) => frame.Start(FrameKind.Failed).Int((int)Status).Text(Message).End();

    public static RunFailed Read(ReadOnlySpan<byte> payload)
    {
        var frame = new FrameReader(payload);
        return new RunFailed((StatementStatus)frame.Int(), frame.Text());
    }
}

internal static class ParsedFrame
{
    public static ReadOnlyMemory<byte> Write(FrameWriter frame, ParsedStatement statement)
    {
        frame.Start(FrameKind.Parsed).Byte((byte)statement.Shape).Text(statement.Message ?? "").Text(statement.Rewritten ?? "").Int(statement.Tables.Count);
        foreach (var table in statement.Tables) frame.Text(table.Catalog).Text(table.Schema).Text(table.Name);
        return frame.Texts([.. statement.Functions]).Texts([.. statement.TableFunctions]).End();
    }

    public static ParsedStatement Read(ReadOnlySpan<byte> payload)
    {
        var frame = new FrameReader(payload);
        var (shape, message, rewritten) = ((StatementShape)frame.Byte(), frame.Text(), frame.Text());
        var tables = new NamedTable[frame.Int()];
        for (var i = 0; i < tables.Length; i++) tables[i] = new NamedTable(frame.Text(), frame.Text(), frame.Text());
        return new ParsedStatement(shape, message, tables, frame.Texts(), frame.Texts()) { Rewritten = rewritten.Length > 0 ? rewritten : null };
    }
}
