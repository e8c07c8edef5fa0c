using System.CommandLine;
using System.Text.Json;
using Agnes.Cli.Output;
using Agnes.Cli.Workspace;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes explore</c>: a table of the workspace at a glance, without the network.</summary>
internal static class ExploreCommand
{
    private const int SampleRows = 5;

    /// <summary>The server makes the profile of a new version when it is asked for, within a minute.</summary>
    private static readonly TimeSpan ProfileIdle = TimeSpan.FromSeconds(90);

    public static Command Build(Host host)
    {
        var table = new Argument<string>("table") { Description = "A table of this workspace." };
        var remote = new Option<bool>("--remote") { Description = "The server's profile of the table, as JSON: distinct and missing values, distributions, alerts." };
        var json = Shared.Json();
        var command = new AgnesCommand("explore", "Shows a pulled table's size, columns and first rows, offline.", "agnes explore orders", "agnes explore orders --json", "agnes explore web_events --remote") { table, remote, json };
        command.Immediate = parsed => parsed.GetValue(remote) ? null : Local(host, parsed.GetRequiredValue(table), parsed.GetValue(json));
        command.SetAction((parsed, cancellation) => RemoteAsync(host, parsed.GetRequiredValue(table), cancellation));
        return command;
    }

    private static int Local(Host host, string asked, bool json)
    {
        using var session = LocalSession.Open(Layout.Current(), [], host.Clock);
        try
        {
            var names = session.TableNames();
            var table = names.FirstOrDefault(name => name == asked) ?? names.FirstOrDefault(name => name.Equals(asked, StringComparison.OrdinalIgnoreCase))
                ?? throw new CliException($"This workspace has no table '{asked}'.") { Hint = names.Count == 0 ? "It has none yet. Run: agnes pull" : $"It has: {string.Join(", ", names)}" };
            if (json) WriteJson(host, session, table);
            else WriteText(host, session, table);
            return ExitCode.Ok;
        }
        catch (DuckDBException problem)
        {
            throw session.Explained(problem);
        }
    }

    private static void WriteText(Host host, LocalSession session, string table)
    {
        var quoted = SqlText.Identifier(table);
        host.Out.WriteLine($"{table}: {Count(session, quoted)} rows");
        foreach (var sql in (string[])[$"SELECT column_name, column_type FROM (DESCRIBE {quoted})", $"SELECT * FROM {quoted} LIMIT {SampleRows}"])
        {
            using var rows = session.Run(sql);
            ResultFormat.Write(host, "table", rows, int.MaxValue);
        }
    }

    private static string Count(LocalSession session, string quoted)
    {
        using var rows = session.Run($"SELECT count(*) FROM {quoted}");
        return rows.Read() ? rows.Text(0) ?? "0" : "0";
    }

    private static void WriteJson(Host host, LocalSession session, string table)
    {
        var quoted = SqlText.Identifier(table);
        using (var writer = new Utf8JsonWriter(host.OutBytes, JsonText.Indented))
        {
            writer.WriteStartObject();
            writer.WriteString("table", table);
            writer.WritePropertyName("row_count");
            writer.WriteRawValue(Count(session, quoted));
            WriteObjects(writer, "columns", session, $"SELECT column_name AS name, column_type AS type, \"null\" = 'YES' AS nullable FROM (DESCRIBE {quoted})");
            WriteObjects(writer, "sample_rows", session, $"SELECT * FROM {quoted} LIMIT {SampleRows}");
            writer.WriteEndObject();
        }

        host.Out.Write('\n');
    }

    private static void WriteObjects(Utf8JsonWriter writer, string name, LocalSession session, string sql)
    {
        writer.WriteStartArray(name);
        using (var rows = session.Run(sql))
        {
            var names = ResultRows.UniqueNames(rows.Columns);
            while (rows.Read())
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

        writer.WriteEndArray();
    }

    private static async Task<int> RemoteAsync(Host host, string table, CancellationToken cancellation)
    {
        using var body = (await host.Api.SendAsync(HttpMethod.Get, $"/api/catalog/profile/{Uri.EscapeDataString(table)}", null, ProfileIdle, null, cancellation)).OrFail().Json();
        JsonText.Write(host, body.RootElement);
        return ExitCode.Ok;
    }
}
