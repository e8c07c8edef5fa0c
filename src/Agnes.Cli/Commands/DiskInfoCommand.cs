using System.CommandLine;
using System.Text.Json.Nodes;
using Agnes.Cli.Output;
using Agnes.Cli.Settings;
using Agnes.Cli.Workspace;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes disk-info</c>: what snapshots take, and how much room there is.</summary>
internal static class DiskInfoCommand
{
    public static Command Build(Host host)
    {
        var json = Shared.Json();
        var command = new AgnesCommand("disk-info", "Shows the room that snapshots and pulled tables take, and what is free.", "agnes disk-info --json") { json };
        command.SetAction(parsed =>
        {
            var layout = Layout.Current();
            var snapshots = Files(layout.Snapshots, SearchOption.AllDirectories);
            var parts = Files(layout.Parts, SearchOption.TopDirectoryOnly);
            var free = new DriveInfo(Directory.Exists(layout.Snapshots) ? layout.Snapshots : layout.Root).AvailableFreeSpace;
            var used = snapshots.Sum(file => file.Length);
            var count = snapshots.Count(file => file.Extension == ".parquet");
            if (parsed.GetValue(json))
            {
                JsonText.Write(host, (JsonNode)new JsonObject
                {
                    ["snapshots_dir"] = layout.Snapshots,
                    ["used_bytes"] = used,
                    ["snapshot_count"] = count,
                    ["free_bytes"] = free,
                    ["quota_gb"] = EnvironmentNumbers.SnapshotQuotaGb,
                    ["parts_bytes"] = parts.Sum(file => file.Length),
                });
                return ExitCode.Ok;
            }

            host.Out.WriteLine($"Snapshots: {count} in {layout.Snapshots}, {Columns.Bytes(used)} of {EnvironmentNumbers.SnapshotQuotaGb} GB");
            host.Out.WriteLine($"Pulled tables: {Columns.Bytes(parts.Sum(file => file.Length))}");
            host.Out.WriteLine($"Free: {Columns.Bytes(free)}");
            return ExitCode.Ok;
        });
        return command;
    }

    private static List<FileInfo> Files(string folder, SearchOption option) =>
        Directory.Exists(folder) ? [.. new DirectoryInfo(folder).EnumerateFiles("*", option)] : [];
}
