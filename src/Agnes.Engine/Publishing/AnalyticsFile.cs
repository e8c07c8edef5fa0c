using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Protocol;

namespace Agnes.Engine.Publishing;

/// <summary>In the worker: <c>analytics/server.duckdb</c>, views over the parts of all published tables, for other tools.</summary>
internal static class AnalyticsFile
{
    private const string Alias = "building";

    public static async Task WriteAsync(DataFolder folder, PartStore store, Share share, string tempFolder, IReadOnlyList<AnalyticsTable> tables, CancellationToken cancellation)
    {
        var target = Path.Combine(folder.Analytics, "server.duckdb");
        var building = $"{target}.tmp";
        Directory.CreateDirectory(folder.Analytics);
        File.Delete(building);
        File.Delete($"{building}.wal");
        await using (var connection = WorkerDatabase.Open(share, tempFolder, [folder.Analytics, folder.Parts]))
        {
            await connection.ExecuteAsync($"ATTACH {SqlText.Literal(building)} AS {Alias}", cancellation);
            foreach (var table in tables.Where(table => table.Parts.Count > 0))
            {
                var source = TableSource.FromParts([.. table.Parts.Select(part => store.PathOf(part.Sha256))]);
                await connection.ExecuteAsync($"CREATE OR REPLACE VIEW {Alias}.{SqlText.Identifier(table.Name)} AS {source}", cancellation);
            }
            await connection.ExecuteAsync($"CHECKPOINT {Alias}; DETACH {Alias}", cancellation);
        }
        File.Delete($"{target}.wal");
        FileSystem.Replace(building, target);
        File.Delete($"{building}.wal");
    }
}
