using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Agnes.Connectors;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Engine.Workers;
using Agnes.Testing;
using DuckDB.NET.Data;

namespace Agnes.Campaigns;

/// <summary>Generated files of many dialects and encodings are loaded, and each cell compared with what Python's csv module reads: as it was written, or in a form that means the same.</summary>
internal static class CsvDialects
{
    private const int TablesPerRun = 20;
    private const int DifferencesToldMax = 3;

    private const string Reference = """
        import csv, json, sys
        csv.field_size_limit(1 << 24)
        for line in sys.stdin:
            path, encoding, delimiter = json.loads(line)
            with open(path, encoding=encoding, newline='') as file:
                print(json.dumps(list(csv.reader(file, delimiter=delimiter, strict=True))), flush=True)
        """;

    public static async Task RunAsync(CampaignRun run)
    {
        using var folder = new TemporaryFolder();
        var data = new DataFolder(folder.Path);
        Directory.CreateDirectory(data.Csv);
        var runner = new ExtractRunner(data, new Scratch(data.Scratch), Budget.FromTotal(2L << 30, Environment.ProcessorCount), ConnectorList.All, new WorkerProgram(ServerProcess.Program("agnes-server"), []));
        var store = new PartStore(data);
        using var python = Process.Start(new ProcessStartInfo("python3", ["-c", Reference]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true })!;
        try
        {
            for (var done = 0; done < run.Count; done += TablesPerRun)
            {
                var files = Enumerable.Range(done, Math.Min(TablesPerRun, run.Count - done)).Select(index => CsvFile.Make(index, run.Random)).ToList();
                foreach (var file in files) await File.WriteAllBytesAsync(Path.Combine(data.Csv, $"{file.Name}.csv"), file.Bytes, run.Cancellation);
                var tables = files.Select(file => new TableConfig(file.Name, file.Name, SourceTable: $"{file.Name}.csv", Settings: file.Settings is { } settings ? JsonElement.Parse(settings) : null));
                var outcome = await runner.RunAsync(new ExtractRequest($"run{done}", "csv", "files", [.. tables]), new Progress<ExtractEvent>(), run.Cancellation, []);
                foreach (var file in files)
                {
                    await python.StandardInput.WriteLineAsync(JsonSerializer.Serialize(new[] { Path.Combine(data.Csv, $"{file.Name}.csv"), file.PythonEncoding, $"{file.Delimiter}" }).AsMemory(), run.Cancellation);
                    var expected = JsonSerializer.Deserialize<string[][]>((await python.StandardOutput.ReadLineAsync(run.Cancellation))!)!;
                    if (outcome.Failed.FirstOrDefault(failed => failed.Name == file.Name) is { } failed) run.Fail($"{file}: {failed.Error}");
                    else Compare(run, file, expected, outcome.Publication!.Tables.Single(table => table.Name == file.Name).Parts.Select(part => store.PathOf(part.Sha256)).Single());
                }

                run.Progress(done + TablesPerRun);
            }
        }
        finally
        {
            python.Kill();
        }
    }

    private static void Compare(CampaignRun run, CsvFile file, string[][] expected, string part)
    {
        run.Add("tables");
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        connection.ExecuteUnprepared("SET TimeZone='UTC'");
        List<(string Name, string Type)> columns = [];
        using (var command = new DuckDBCommand($"DESCRIBE FROM '{part}'", connection))
        using (var reader = command.ExecuteReader())
            while (reader.Read()) columns.Add((reader.GetString(0), reader.GetString(1)));
        foreach (var (_, type) in columns) run.Add($"columns {type.Split('(')[0]}");
        if (!columns.Select(column => column.Name).SequenceEqual(expected[0]))
        {
            run.Fail($"{file}: columns {string.Join('|', columns.Select(column => column.Name))} instead of {string.Join('|', expected[0])}");
            return;
        }

        using var select = new DuckDBCommand($"SELECT COLUMNS(*)::VARCHAR FROM '{part}'", connection);
        using var rows = select.ExecuteReader();
        var (row, differences) = (1, 0);
        for (; rows.Read(); row++)
        {
            if (row >= expected.Length) break;
            for (var column = 0; column < columns.Count; column++)
            {
                run.Add("cells");
                var (wanted, found) = (expected[row][column], rows.IsDBNull(column) ? null : rows.GetString(column));
                if (IsEqual(wanted, found, columns[column].Type)) continue;
                if (differences++ < DifferencesToldMax) run.Fail($"{file}, row {row}, column {column} ({columns[column].Type}): '{wanted}' became '{found}'");
            }
        }

        if (row != expected.Length || rows.Read()) run.Fail($"{file}: {row - 1} rows instead of {expected.Length - 1}");
        if (differences > DifferencesToldMax) run.Fail($"{file}: {differences} cells differ");
    }

    private static bool IsEqual(string wanted, string? found, string type)
    {
        if (found is null) return wanted.Length == 0;
        if (found == wanted) return true;
        return type switch
        {
            "BOOLEAN" => string.Equals(wanted, found, StringComparison.OrdinalIgnoreCase),
            "TIME" => wanted + ":00" == found,
            "TIMESTAMP" => (wanted.Replace('T', ' ') is var plain && (plain == found || plain + ":00" == found || plain + " 00:00:00" == found)),
            "BIGINT" or "DOUBLE" => IsSameNumber(wanted, found),
            _ => type.StartsWith("DECIMAL", StringComparison.Ordinal) && IsSameNumber(wanted, found),
        };
    }

    private static bool IsSameNumber(string wanted, string found)
    {
        if (wanted.AsSpan().IndexOfAny('e', 'E') < 0 && found.AsSpan().IndexOfAny('e', 'E') < 0) return Digits(wanted) == Digits(found);
        return double.TryParse(wanted, NumberStyles.Float, CultureInfo.InvariantCulture, out var one) && double.TryParse(found, NumberStyles.Float, CultureInfo.InvariantCulture, out var other) && one.Equals(other);
    }

    /// <summary>The number without what adds nothing; a text that has more than digits and a point is itself, and so equal to nothing else. Zeros in front are a code.</summary>
    private static string Digits(string number)
    {
        var unsigned = number.TrimStart('-');
        if (unsigned.Length > 1 && unsigned[0] == '0' && unsigned[1] != '.') return number + " as written";
        if (unsigned.Any(character => !char.IsAsciiDigit(character) && character != '.')) return number;
        var (whole, fraction) = unsigned.Split('.') is [var before, var after] ? (before, after.TrimEnd('0')) : (unsigned, "");
        return $"{(number.StartsWith('-') ? "-" : "")}{BigInteger.Parse(whole.Length == 0 ? "0" : whole, CultureInfo.InvariantCulture)}.{fraction}";
    }
}
