using System.CommandLine;
using Agnes.Cli.Output;
using Agnes.Cli.Settings;

namespace Agnes.Cli.Commands.Admin;

/// <summary><c>agnes admin audit</c>: what happened.</summary>
internal static class AuditCommands
{
    private const int LimitDefault = 50;

    public static Command Build(Host host) => new AgnesCommand("audit", "Reads the audit log.", "agnes admin audit list --user ana@example.com --since 2026-01-01", "agnes admin audit export --format csv -o audit.csv")
    {
        List(host), Export(host),
    };

    private static AgnesCommand List(Host host)
    {
        var filter = new Filter();
        var limit = new Option<int>("--limit") { Description = "How many, at most 500.", DefaultValueFactory = _ => LimitDefault };
        var cursor = new Option<string?>("--cursor") { Description = "Goes on after an earlier page, which says its cursor." };
        var json = Shared.Json();
        var command = new AgnesCommand("list", "Lists what happened, newest first.", "agnes admin audit list --action 'resource_grant.*'") { limit.Positive(), cursor, json };
        filter.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var query = await filter.QueryAsync(host, parsed, cancellation);
            query.Add($"limit={parsed.GetValue(limit)}");
            if (parsed.GetValue(cursor) is { } after) query.Add($"cursor={Uri.EscapeDataString(after)}");
            using var answer = (await host.Api.GetAsync($"/api/admin/audit?{string.Join('&', query)}", cancellation)).OrFail().Json();
            if (parsed.GetValue(json))
            {
                JsonText.Write(host, answer.RootElement);
                return ExitCode.Ok;
            }

            AdminApi.Print(
                host, answer.RootElement.GetProperty("entries"), json: false,
                AdminApi.Column("TIME (UTC)", "timestamp"), ("USER", entry => Columns.Field(entry, "email") is var email && email != "-" ? email : Columns.Field(entry, "user_id")), AdminApi.Column("ACTION", "action"), AdminApi.Column("RESOURCE", "resource"), AdminApi.Column("RESULT", "result"));
            if (Columns.Field(answer.RootElement, "next_cursor") is var next && next != "-") host.Error.WriteLine($"More: --cursor {next}");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Export(Host host)
    {
        var filter = new Filter();
        var format = new Option<string>("--format") { Description = "jsonl or csv.", DefaultValueFactory = _ => "jsonl" };
        format.AcceptOnlyFromAmong("jsonl", "csv");
        var output = new Option<string?>("--output", "-o") { Description = "The file to write; without it, the standard output." };
        var command = new AgnesCommand("export", "Writes every entry that the filters let through. That it was exported is in the log too.") { format, output };
        filter.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var query = await filter.QueryAsync(host, parsed, cancellation);
            query.Add($"format={parsed.GetRequiredValue(format)}");
            var answer = (await host.Api.GetAsync($"/api/admin/audit/export?{string.Join('&', query)}", cancellation)).OrFail();
            if (parsed.GetValue(output) is { } file) await AtomicFile.WriteAsync(Path.GetFullPath(file), answer.Body, ownerOnly: true, cancellation);
            else await host.OutBytes.WriteAsync(answer.Body, cancellation);
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>The filters that both share.</summary>
    private sealed class Filter
    {
        private readonly Option<string?> _user = new("--user") { Description = "Only what this user did: e-mail or id." };
        private readonly Option<string?> _action = new("--action") { Description = "Only this action; with a star at its end, those that begin so." };
        private readonly Option<string?> _resource = new("--resource") { Description = "Only what was done to this, such as user:ID or group:ID." };
        private readonly Option<string?> _since = new("--since") { Description = "From this time on (UTC), such as 2026-05-12 or 2026-05-12T10:00:00." };
        private readonly Option<string?> _until = new("--until") { Description = "Before this time (UTC)." };

        public void AddTo(Command command)
        {
            foreach (var option in (Option[])[_user, _action, _resource, _since, _until]) command.Add(option);
        }

        public async Task<List<string>> QueryAsync(Host host, ParseResult parsed, CancellationToken cancellation)
        {
            var query = new List<string>();
            if (parsed.GetValue(_user) is { } user) query.Add($"user_id={Uri.EscapeDataString(await AdminApi.UserIdAsync(host, user, cancellation))}");
            foreach (var (name, option) in ((string, Option<string?>)[])[("action", _action), ("resource", _resource), ("since", _since), ("until", _until)])
            {
                if (parsed.GetValue(option) is { } value) query.Add($"{name}={Uri.EscapeDataString(value)}");
            }

            return query;
        }
    }
}
