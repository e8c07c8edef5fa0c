using System.CommandLine;
using System.Text.Json;
using Agnes.Cli.Api;
using Agnes.Cli.Output;
using Agnes.Cli.Settings;

namespace Agnes.Cli.Commands.Admin;

/// <summary><c>agnes admin metrics</c>: the company's definitions, as YAML files in and out.</summary>
internal static class MetricCommands
{
    public static Command Build(Host host) => new AgnesCommand("metrics", "The company's metric definitions: import, export, check, delete. To read them: agnes catalog --metrics.")
    {
        Import(host), Export(host), Validate(host), Delete(host),
    };

    private static AgnesCommand Import(Host host)
    {
        var path = new Argument<string>("path") { Description = "A YAML file, or a folder of them: <category>/<name>.yml." };
        var json = Shared.Json();
        var command = new AgnesCommand(
            "import", "Adds or replaces definitions; all of them, or none when one has a fault.", "agnes admin metrics import docs/metrics", "agnes admin metrics import docs/metrics/revenue/mrr.yml") { path, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var answer = (await host.Api.PostFilesAsync("/api/admin/metrics/import", YamlFiles.Read(parsed.GetRequiredValue(path)), YamlFiles.CheckIdle, cancellation)).OrFail();
            using var body = answer.Json();
            if (body.RootElement.TryGetProperty("warnings", out var warnings) && warnings.ValueKind == JsonValueKind.Array)
            {
                foreach (var warning in warnings.EnumerateArray()) host.Error.WriteLine($"warn: {DisplayText.Message(warning.ToString())}");
            }

            AdminApi.Done(host, answer, parsed.GetValue(json), $"{Columns.Field(body.RootElement, "count")} metrics imported.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Export(Host host)
    {
        var folder = new Option<string>("--dir") { Description = "Where to; files of the same names are replaced.", DefaultValueFactory = _ => "./export/" };
        var command = new AgnesCommand("export", "Writes all definitions as <category>/<name>.yml.", "agnes admin metrics export --dir ./metrics") { folder };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var body = (await host.Api.GetAsync("/api/admin/metrics/export", cancellation)).OrFail().Json();
            var root = Path.GetFullPath(parsed.GetRequiredValue(folder));
            var count = 0;
            foreach (var file in AdminApi.List(body.RootElement, "files").EnumerateArray())
            {
                var target = YamlFiles.Inside(root, Columns.Field(file, "path"));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                await AtomicFile.WriteTextAsync(target, file.GetProperty("content").GetString() ?? "", cancellation);
                count++;
            }

            host.Out.WriteLine($"{count} metrics exported to {root}");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Validate(Host host)
    {
        var json = Shared.Json();
        var command = new AgnesCommand("validate", "Checks that each definition's SQL still agrees with the tables; exit code 1 when one does not.", "agnes admin metrics validate") { json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var body = (await host.Api.SendAsync(HttpMethod.Get, "/api/admin/metrics/validate", null, YamlFiles.CheckIdle, null, cancellation)).OrFail().Json();
            var failed = body.RootElement.TryGetProperty("failed", out var number) && number.TryGetInt32(out var count) ? count : 0;
            if (parsed.GetValue(json)) JsonText.Write(host, body.RootElement);
            else Print(host, body.RootElement, failed);
            return failed == 0 ? ExitCode.Ok : ExitCode.Failed;
        });
        return command;
    }

    private static void Print(Host host, JsonElement answer, int failed)
    {
        foreach (var metric in AdminApi.List(answer, "metrics").EnumerateArray())
        {
            if (Columns.Field(metric, "status") == "ok") continue;
            foreach (var message in metric.GetProperty("messages").EnumerateArray()) host.Out.WriteLine(DisplayText.Message($"WARN {Columns.Field(metric, "id")}: {message}"));
        }

        host.Out.WriteLine($"{Columns.Field(answer, "count")} metrics checked, {failed} with warnings.");
    }

    private static AgnesCommand Delete(Host host)
    {
        var id = new Argument<string>("id") { Description = "category/name, as 'agnes catalog --metrics' shows it." };
        var json = Shared.Json();
        var command = new AgnesCommand("delete", "Removes a definition.", "agnes admin metrics delete revenue/mrr") { id, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var answer = (await host.Api.DeleteAsync($"/api/admin/metrics/{YamlFiles.Path(parsed.GetRequiredValue(id))}", cancellation)).OrFail();
            AdminApi.Done(host, answer, parsed.GetValue(json), $"Metric {parsed.GetRequiredValue(id)} deleted.");
            return ExitCode.Ok;
        });
        return command;
    }
}
