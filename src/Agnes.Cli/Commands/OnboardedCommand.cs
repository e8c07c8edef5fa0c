using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Api;
using Agnes.Cli.Output;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes onboarded</c>: whether the server takes you for somebody who was introduced to it.</summary>
internal static class OnboardedCommand
{
    public static Command Build(Host host) => new AgnesCommand("onboarded", "Tells the server that you know your way, or shows what it thinks.", "agnes onboarded status")
    {
        Mark(host, "on", "self_acknowledged", isOnboarded: true), Mark(host, "off", "self_unmark", isOnboarded: false), Status(host),
    };

    /// <summary>Best effort: a workspace is ready whether or not the server noted it.</summary>
    public static async Task TellAsync(ApiClient api, string source, CancellationToken cancellation)
    {
        try
        {
            await api.PostAsync("/api/me/onboarded", new JsonObject { ["source"] = source, ["onboarded"] = true }, cancellation);
        }
        catch (CliException)
        {
            // It is a note about the user, not a step of the set-up.
            return;
        }
    }

    private static AgnesCommand Mark(Host host, string name, string source, bool isOnboarded)
    {
        var from = new Option<string>("--source") { Description = "Who says so.", DefaultValueFactory = _ => source };
        var command = new AgnesCommand(name, isOnboarded ? "You know your way: no more introduction." : "Show the introduction again.", $"agnes onboarded {name}") { from };
        command.SetAction(async (parsed, cancellation) =>
        {
            var answer = await host.Api.PostAsync("/api/me/onboarded", new JsonObject { ["source"] = parsed.GetRequiredValue(from), ["onboarded"] = isOnboarded }, cancellation);
            if (answer.Status != 200) throw answer.Failure(ExitCode.Usage);
            host.Out.WriteLine(isOnboarded ? "Noted: onboarded." : "Noted: not onboarded.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Status(Host host)
    {
        var command = new AgnesCommand("status", "Shows what the server thinks.", "agnes onboarded status");
        command.SetAction(async (_, cancellation) =>
        {
            using var profile = (await host.Api.GetAsync("/api/me/profile", cancellation)).OrFail(ExitCode.Usage).Json();
            if (!profile.RootElement.TryGetProperty("onboarded", out var value) || value.ValueKind is not (JsonValueKind.True or JsonValueKind.False)) throw new CliException("The server does not say.", ExitCode.Usage);
            host.Out.WriteLine(value.GetBoolean() ? "onboarded" : "not onboarded");
            return ExitCode.Ok;
        });
        return command;
    }
}
