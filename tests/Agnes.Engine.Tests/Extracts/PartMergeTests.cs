using System.Globalization;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Tests.Publishing;
using Agnes.Protocol;

namespace Agnes.Engine.Tests.Extracts;

/// <summary>Merges, step by step, against a plain dictionary of rows.</summary>
public sealed class PartMergeTests : IDisposable
{
    private static readonly TableColumn[] Columns = [new("id", "INTEGER"), new("region", "VARCHAR"), new("day", "INTEGER"), new("note", "VARCHAR")];
    private readonly Installation _installation = new();
    private int _runs;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _installation.Dispose();

    [Fact]
    public async Task Whatever_is_merged_the_table_is_what_a_dictionary_says()
    {
        for (var seed = 0; seed < 6; seed++)
        {
            var random = new Random(seed);
            var merge = new PartMerge(seed % 3 == 0 ? ["id"] : ["id", "region"], seed % 4 == 0 ? null : "day // 5");
            var expected = new Dictionary<string, Row>(StringComparer.Ordinal);
            ExtractTable? previous = null;
            for (var step = 0; step < 5; step++)
            {
                var delta = Enumerable.Range(0, random.Next(0, 12)).Select(_ => Row.Random(random, step)).ToList();
                var gone = random.Next(3) == 0 ? expected.Values.Where(_ => random.Next(3) == 0).ToList() : [];
                gone.RemoveAll(row => delta.Any(one => KeyOf(merge, one) == KeyOf(merge, row)));
                var old = new Dictionary<string, Row>(expected, StringComparer.Ordinal);
                foreach (var row in delta) expected[KeyOf(merge, row)] = row;
                foreach (var row in gone) expected.Remove(KeyOf(merge, row));

                var before = previous;
                previous = await StepAsync(merge with { Removed = gone.Count == 0 ? null : Select(gone) }, before, delta);
                (await RowsAsync(previous)).ShouldBe(expected.Values.Select(row => row.ToString()).Order(StringComparer.Ordinal), ignoreOrder: false, $"seed {seed}, step {step}");
                previous.Parts.Select(part => part.Part.Name).ShouldBeUnique();
                if (before is null || merge.Partition is null) continue;
                var touched = delta.Concat(gone).Concat(delta.Select(row => old.GetValueOrDefault(KeyOf(merge, row))).OfType<Row>()).Select(row => row.Place).ToHashSet(StringComparer.Ordinal);
                var after = previous.Parts.ToDictionary(part => part.Key ?? "", part => part.Part.Sha256);
                foreach (var part in before.Parts.Where(part => part.Key is not null && !touched.Contains(part.Key))) after[part.Key!].ShouldBe(part.Part.Sha256, $"seed {seed}, step {step}");
            }
        }
    }

    [Fact]
    public async Task A_row_that_moves_leaves_its_old_partition_and_a_new_column_is_null_in_old_rows()
    {
        var merge = new PartMerge(["id"], "day");
        var first = await StepAsync(merge, null, [new Row(1, "a", 1, "x"), new Row(2, "a", 2, "x"), new Row(3, null, null, "x")]);
        first.Parts.Select(part => part.Key).ShouldBe(["1", "2", "null"]);
        var second = await StepAsync(merge, first, [new Row(1, "a", 2, "moved")]);
        second.Parts.Select(part => part.Key).ShouldBe(["2", "null"]);
        (await RowsAsync(second)).ShouldBe(["1|a|2|moved", "2|a|2|x", "3|||x"]);

        var wider = await RunAsync(writer => merge.RunAsync(writer, second, "SELECT 9 AS id, 'b' AS region, 2 AS day, 'x' AS note, 5.5::DOUBLE AS price", [.. Columns, new("price", "DOUBLE")], Stop));
        var table = second with { Columns = [.. Columns, new("price", "DOUBLE")], Parts = wider };
        (await RowsAsync(table, "id, price")).ShouldBe(["1|", "2|", "3|", "9|5.5"]);
    }

    [Fact]
    public async Task A_part_that_another_program_changed_is_not_merged_into()
    {
        var merge = new PartMerge(["id"]);
        var first = await StepAsync(merge, null, [new Row(1, "a", 1, "x")]);
        var path = _installation.Store.PathOf(first.Parts[0].Part.Sha256);
        var bytes = await File.ReadAllBytesAsync(path, Stop);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(path, bytes, Stop);
        (await Should.ThrowAsync<InvalidDataException>(() => StepAsync(merge, first, [new Row(2, "a", 1, "x")]))).Message.ShouldContain("read whole again");
    }

    private async Task<ExtractTable> StepAsync(PartMerge merge, ExtractTable? previous, IReadOnlyList<Row> delta)
    {
        var parts = await RunAsync(writer => merge.RunAsync(writer, previous, Select(delta), Columns, Stop));
        return new ExtractTable("orders", null, "local", DateTime.UnixEpoch, Columns, parts, []);
    }

    private async Task<T> RunAsync<T>(Func<ExtractWriter, Task<T>> run)
    {
        var request = new ExtractRequest($"merge{++_runs}", "shop", "scripted", []);
        await using var writer = await ExtractWriter.OpenAsync(_installation.Data, request, new Share(200_000_000, 2, 100_000_000), _installation.Scratch.Root, [], TimeProvider.System, Stop);
        return await run(writer);
    }

    private Task<List<string>> RowsAsync(ExtractTable table, string columns = "id, region, day, note") => RunAsync(writer => writer.Connection.QueryAsync(
        $"SELECT concat_ws('|', {string.Join(", ", columns.Split(", ").Select(column => $"coalesce({column}::VARCHAR, '')"))}) FROM {writer.Read(table.Parts)} ORDER BY 1", row => row.GetString(0), Stop));

    private static string KeyOf(PartMerge merge, Row row) => merge.Keys.Count == 1 ? $"{row.Id}" : $"{row.Id}|{row.Region ?? "NULL"}";

    private static string Select(IReadOnlyList<Row> rows) => rows.Count == 0
        ? "SELECT NULL::INTEGER AS id, NULL::VARCHAR AS region, NULL::INTEGER AS day, NULL::VARCHAR AS note WHERE false"
        : string.Join(" UNION ALL ", rows.Select(row => $"SELECT {row.Id} AS id, {Text(row.Region)} AS region, {row.Day?.ToString(CultureInfo.InvariantCulture) ?? "NULL"} AS day, {Text(row.Note)} AS note"));

    private static string Text(string? text) => text is null ? "NULL::VARCHAR" : SqlText.Literal(text);

    private sealed record Row(int Id, string? Region, int? Day, string? Note)
    {
        public static Row Random(Random random, int step) =>
            new(random.Next(10), random.Next(4) switch { 0 => null, 1 => "a'b", 2 => "c d", _ => "" }, random.Next(6) == 0 ? null : random.Next(20), $"step {step} {random.Next(100)}");

        public string Place => Day is { } day ? (day / 5).ToString(CultureInfo.InvariantCulture) : "null";

        public override string ToString() => $"{Id}|{Region}|{Day}|{Note}";
    }
}
