using System.CommandLine;
using System.Text.Json;
using Agnes.Cli.Output;
using Agnes.Cli.Workspace;
using Agnes.Protocol;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes explore</c>: a table of the workspace at a glance, without the network.</summary>
internal static class ExploreCommand
{
    private const int SampleRows = 5;

    public static Command Build(Host host)
    {
        var table = new Argument<string>("table") { Description = "A table of this workspace." };
        var remote = new Option<bool>("--remote") { Description = "The profile that the server keeps of the table." };
        var json = Shared.Json();
        var command = new AgnesCommand("explore", "Shows a pulled table's size, columns and first rows, offline.", "agnes explore orders", "agnes explore orders --json", "agnes explore web_events --remote") { table, remote, json };
        command.SetAction((parsed, cancellation) => parsed.GetValue(remote)
            ? RemoteAsync(host, parsed.GetRequiredValue(table), cancellation)
            : LocalAsync(host, parsed.GetRequiredValue(table), parsed.GetValue(json), cancellation));
        return command;
    }

    private static async Task<int> LocalAsync(Host host, string asked, bool json, CancellationToken cancellation)
    {
        using var session = await LocalSession.OpenAsync(Layout.Current(), [], host.Clock, cancellation);
        var names = session.TableNames();
        var table = names.FirstOrDefault(name => name == asked) ?? names.FirstOrDefault(name => name.Equals(asked, StringComparison.OrdinalIgnoreCase))
            ?? throw new CliException($"This workspace has no table '{asked}'.") { Hint = names.Count == 0 ? "It has none yet. Run: agnes pull" : $"It has: {string.Join(", ", names)}" };
        var quoted = SqlText.Identifier(table);
        var count = await ScalarAsync(session, $"SELECT count(*) FROM {quoted}", cancellation);
        if (json) await WriteJsonAsync(host, session, table, count, cancellation);
        else
        {
            host.Out.WriteLine($"{table}: {count} rows");
            await WriteAsync(host, session, $"SELECT column_name, column_type FROM (DESCRIBE {quoted})", cancellation);
            await WriteAsync(host, session, $"SELECT * FROM {quoted} LIMIT {SampleRows}", cancellation);
        }

        return ExitCode.Ok;
    }

    private static async Task WriteAsync(Host host, LocalSession session, string sql, CancellationToken cancellation)
    {
        var (command, reader) = await session.RunAsync(sql, cancellation);
        using var rows = new LocalRows(command, reader);
        await ResultFormat.WriteAsync(host, "table", rows, int.MaxValue, cancellation);
    }

    private static async Task<string> ScalarAsync(LocalSession session, string sql, CancellationToken cancellation)
    {
        var (command, reader) = await session.RunAsync(sql, cancellation);
        using var rows = new LocalRows(command, reader);
        return await rows.ReadAsync(cancellation) ? rows.Text(0) ?? "0" : "0";
    }

    private static async Task WriteJsonAsync(Host host, LocalSession session, string table, string count, CancellationToken cancellation)
    {
        var quoted = SqlText.Identifier(table);
        await using (var writer = new Utf8JsonWriter(host.OutBytes, JsonText.Indented))
        {
            writer.WriteStartObject();
            writer.WriteString("table", table);
            writer.WritePropertyName("row_count");
            writer.WriteRawValue(count);
            writer.WriteStartArray("columns");
            await WriteObjectsAsync(writer, session, $"SELECT column_name AS name, column_type AS type, \"null\" = 'YES' AS nullable FROM (DESCRIBE {quoted})", cancellation);
            writer.WriteEndArray();
            writer.WriteStartArray("sample_rows");
            await WriteObjectsAsync(writer, session, $"SELECT * FROM {quoted} LIMIT {SampleRows}", cancellation);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        host.Out.Write('\n');
    }

    private static async Task WriteObjectsAsync(Utf8JsonWriter writer, LocalSession session, string sql, CancellationToken cancellation)
    {
        var (command, reader) = await session.RunAsync(sql, cancellation);
        using var rows = new LocalRows(command, reader);
        var names = ResultRows.UniqueNames(rows.Columns);
        while (await rows.ReadAsync(cancellation))
        {
            writer.WriteStartObject();
            for (var index = 0; index < names.Count; index++)
            {
                writer.WritePropertyName(names[index]);
                rows.WriteJson(writer, index);
            }

            writer.WriteEndObject();
        }
    }

    private static async Task<int> RemoteAsync(Host host, string table, CancellationToken cancellation)
    {
        using var body = (await host.Api.GetAsync($"/api/catalog/profile/{Uri.EscapeDataString(table)}", cancellation)).OrFail().Json();
        JsonText.Write(host, body.RootElement);
        return ExitCode.Ok;
    }
}
