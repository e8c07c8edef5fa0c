using System.CommandLine;
using Agnes.Cli.Output;

namespace Agnes.Cli.Commands.Admin;

/// <summary><c>agnes admin events</c>: sources that send by themselves.</summary>
internal static class EventCommands
{
    public static Command Build(Host host) => new AgnesCommand(
        "events", "Sources that send by themselves: Jira, and connections of the kind webhook.",
        "agnes admin events status", "agnes admin events replay jira --from 2026-05-01T10:00:00Z")
    {
        Status(host), Replay(host),
    };

    private static AgnesCommand Status(Host host)
    {
        var json = Shared.Json();
        var command = new AgnesCommand("status", "Says what waits, what came of it, and what is newer than the tables' versions.") { json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var answer = (await host.Api.GetAsync("/api/admin/events", cancellation)).OrFail().Json();
            AdminApi.Print(
                host, answer.RootElement.GetProperty("sources"), parsed.GetValue(json), AdminApi.Column("SOURCE", "source"), AdminApi.Column("LAST TAKEN", "last_taken_at"),
                AdminApi.Column("WAITING BYTES", "waiting_bytes"), AdminApi.Column("TAIL", "tail_documents"), AdminApi.Column("PUBLISHED", "last_published_at"),
                AdminApi.Column("APPLIED", "applied"), AdminApi.Column("KNOWN", "known"), AdminApi.Column("UNKNOWN", "unknown"), AdminApi.Column("BROKEN", "broken"),
                AdminApi.Column("FAULT", "fault"));
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Replay(Host host)
    {
        var source = new Argument<string>("source") { Description = "As status lists it." };
        var from = new Option<string?>("--from") { Description = "From the deliveries of this time on (ISO 8601); all that are kept where it is not given." };
        var command = new AgnesCommand("replay", "Folds a source's journal again. Rows stay what they are but where something was missing.", "agnes admin events replay jira") { source, from };
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = $"/api/admin/events/{Uri.EscapeDataString(parsed.GetRequiredValue(source))}/replay";
            if (parsed.GetValue(from) is { Length: > 0 } time) path += $"?from={Uri.EscapeDataString(time)}";
            using var answer = (await host.Api.PostAsync(path, null, cancellation)).OrFail().Json();
            host.Out.WriteLine($"{answer.RootElement.GetProperty("bytes").GetInt64()} bytes of the journal are folded again.");
            return ExitCode.Ok;
        });
        return command;
    }
}
