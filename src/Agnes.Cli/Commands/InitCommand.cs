using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Api;
using Agnes.Cli.Output;
using Agnes.Cli.SelfUpgrade;
using Agnes.Cli.Settings;
using Agnes.Cli.Workspace;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes init</c>: makes a folder a workspace: credentials, instructions for the agent, first pull. Interrupted, it is run again.</summary>
internal static class InitCommand
{
    public static Command Build(Host host)
    {
        var server = new Option<string>("--server-url", "--server") { Description = "Address of the server.", Required = true };
        var token = new Option<string?>("--token") { Description = "Your access token, or '-' to read it from the standard input. AGNES_TOKEN counts too." };
        var file = new Option<string?>("--token-file") { Description = "A file that holds the token." };
        var workspace = new Option<string?>("--workspace") { Description = "The folder to set up; default: the current one.", HelpName = "DIR" };
        var force = new Option<bool>("--force") { Description = "Set up again; CLAUDE.md is backed up first." };
        var skip = new Option<bool>("--skip-materialize") { Description = "Leave tables with mode 'materialized' out of the first pull." };
        var trust = ReleaseTrust.Option();
        var insecure = PlainHttp.Option();
        var json = Shared.Json();
        var command = new AgnesCommand(
            "init",
            "Sets a folder up for analysis with an AI agent: stores server and token, writes the agent's instructions and permissions, pulls your tables.",
            "agnes init --server-url https://agnes.example.com --token -",
            "agnes init --server-url https://agnes.example.com --token-file ~/token.txt --workspace ~/analysis") { server, token, file, workspace, force, skip, trust, insecure, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var address = ServerAddress.Parse(parsed.GetRequiredValue(server));
            PlainHttp.Require(host, address, parsed.GetValue(insecure));
            var secret = await TokenInput.ReadAsync(parsed.GetValue(token), parsed.GetValue(file), cancellation)
                ?? throw new CliException("A token is needed: --token -, --token-file FILE, or AGNES_TOKEN.", ExitCode.Usage) { Hint = $"Make one in the browser: {parsed.GetValue(server)}/tokens" };
            var layout = new Layout(Path.GetFullPath(parsed.GetValue(workspace) ?? Environment.CurrentDirectory));
            var options = new PullOptions(DryRun: false, parsed.GetValue(skip), Prune: true, IsQuiet: false);
            return await RunAsync(host, address, secret, layout, parsed.GetValue(force), parsed.GetValue(trust), options, parsed.GetValue(json), cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(Host host, ServerAddress server, string token, Layout layout, bool force, string? trustKey, PullOptions options, bool json, CancellationToken cancellation)
    {
        layout.RefuseUnsafe();
        WarnOfStaleTrust(host);
        CheckEarlier(host, layout, force);
        using var api = host.ApiFor(server, token);
        await VerifyAsync(host, api, cancellation);
        // Before the credentials are stored: a folder that cannot be written to leaves nothing behind.
        layout.RefuseLinks();
        Directory.CreateDirectory(layout.Claude);
        foreach (var line in layout.Close()) host.Error.WriteLine($"note: {line}");

        await host.Settings.SaveServerAsync(server, cancellation);
        await PlainHttp.KeepAsync(host, server, cancellation);
        if (trustKey is not null) await ReleaseTrust.TrustAsync(host, server, trustKey, cancellation);
        var releaseKey = await ReleaseTrust.MeetAsync(host, server, cancellation);
        await new StoredToken(token, "", server).WriteAsync(host.Settings.Folder, cancellation);
        Directory.CreateDirectory(layout.Root);
        foreach (var folder in (string[])[layout.Claude, layout.Commands, host.Settings.Folder.Path]) AtomicFile.RemoveLeftovers(folder);
        foreach (var file in (string[])[layout.ClaudeMd, layout.Guide]) AtomicFile.RemoveLeftovers(layout.Root, Path.GetFileName(file));
        await WriteInstructionsAsync(host, api, layout, force, cancellation);
        await AgentSettings.WriteAsync(host, layout, cancellation);

        var progress = PullProgress.For(host, isShown: !json);
        PullReport report;
        try
        {
            report = await new Puller(host, api, layout, options, progress).RunAsync(cancellation);
        }
        catch (CliException failure)
        {
            throw new CliException(ErrorText.Local("manifest_unauthorized", 0, failure.Message, "The folder is set up but for its tables. Run the same command again.")) { IsBlock = true };
        }

        await AtomicFile.WriteTextAsync(layout.Guide, WorkspaceTexts.Guide(server, layout, host.Clock.GetUtcNow()), cancellation);
        await AtomicFile.WriteTextAsync(layout.Sentinel, $"completed_at: {Stamp(host)}\nagnes_version: {ProgramVersion.Text}\nserver_url: {server}\n", cancellation);
        await OnboardedCommand.TellAsync(api, "agnes_init", cancellation);
        Print(host, server, releaseKey, layout, report, options, json);
        return ExitCode.Ok;
    }

    /// <summary>A variable that names a certificate file which is gone breaks every connection with a message that points elsewhere.</summary>
    private static void WarnOfStaleTrust(Host host)
    {
        foreach (var name in (string[])["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO"])
        {
            if (Environment.GetEnvironmentVariable(name) is { Length: > 0 } path && !File.Exists(path)) host.Error.WriteLine($"warn: {name} names {path}, which does not exist; unset it if connections fail");
        }
    }

    private static void CheckEarlier(Host host, Layout layout, bool force)
    {
        if (force || !File.Exists(layout.ClaudeMd) || !File.ReadAllText(layout.ClaudeMd).Contains(WorkspaceTexts.Marker, StringComparison.Ordinal)) return;
        if (File.Exists(layout.Sentinel))
        {
            throw new CliException(ErrorText.Local("partial_state", 0, $"{layout.Root} is already set up", "To bring its tables up to date: agnes pull. To set it up anew: agnes init --force …")) { IsBlock = true };
        }

        host.Error.WriteLine("An earlier init was interrupted here; continuing it.");
    }

    private static async Task VerifyAsync(Host host, ApiClient api, CancellationToken cancellation)
    {
        ApiResponse answer;
        try
        {
            answer = await api.GetAsync("/api/catalog/tables", cancellation);
        }
        catch (CliException failure) when (failure.ExitCode == ExitCode.Failed)
        {
            throw new CliException(ErrorText.Local("server_unreachable", 0, failure.Message, failure.Hint)) { IsBlock = true };
        }

        if (answer.IsSuccess) return;
        throw answer.Status switch
        {
            401 => new CliException(ErrorText.Local("auth_failed", 401, Jwt.Decode(api.Token ?? "")?.Expires is { } expired && expired < host.Clock.GetUtcNow() ? $"this token expired at {expired.UtcDateTime:yyyy-MM-dd HH:mm} UTC" : "the server does not accept this token", $"Make a new one: {api.Server}/setup")) { IsBlock = true },
            403 => new CliException(ErrorText.Local("access_denied", 403, ErrorText.Brief(answer.Status, answer.Body), "Your account may be deactivated; ask an admin.")) { IsBlock = true },
            404 => new CliException(ErrorText.Local("server_unreachable", 404, $"{api.Server} does not look like an Agnes server", "Check the address.")) { IsBlock = true },
            _ => new CliException(ErrorText.Local("server_unreachable", answer.Status, ErrorText.Brief(answer.Status, answer.Body), "The server answers with an error; try again later.")) { IsBlock = true },
        };
    }

    private static async Task WriteInstructionsAsync(Host host, ApiClient api, Layout layout, bool force, CancellationToken cancellation)
    {
        var instructions = new Instructions(api, layout);
        var text = await instructions.FetchAsync(ApiClient.MetadataIdle, cancellation);
        if (force && File.Exists(layout.ClaudeMd))
        {
            var backup = $"{layout.ClaudeMd}.bak.{host.Clock.GetUtcNow().UtcDateTime:yyyyMMdd'T'HHmmss'Z'}";
            try
            {
                await AtomicFile.WriteAsync(backup, await File.ReadAllBytesAsync(layout.ClaudeMd, cancellation), ownerOnly: true, cancellation);
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
            {
                host.Error.WriteLine($"warn: CLAUDE.md could not be backed up: {problem.Message}");
            }
        }

        await instructions.WriteAsync(text ?? WorkspaceTexts.Instructions(api.Server), cancellation);
    }

    private static void Print(Host host, ServerAddress server, string? releaseKey, Layout layout, PullReport report, PullOptions options, bool json)
    {
        if (json)
        {
            JsonText.Write(host, (JsonNode)new JsonObject { ["workspace"] = layout.Root, ["server"] = server.Url, ["release_key"] = releaseKey, ["pull"] = report.ToJson() });
            return;
        }

        foreach (var error in report.Errors) host.Error.WriteLine($"warn: {DisplayText.Message(error.ToString())}");
        host.Out.WriteLine($"Workspace: {layout.Root}");
        host.Out.WriteLine($"Server: {server}");
        if (releaseKey is not null) host.Out.WriteLine($"Upgrades: signed with {releaseKey}");
        host.Out.WriteLine($"Tables: {report.Updated.Count} of {report.ParquetsTotal} fetched{(options.SkipMaterialized ? " (materialized ones left out)" : "")}{(report.RemoteTables > 0 ? $", {report.RemoteTables} stay on the server" : "")}");
        host.Out.WriteLine("Ready. Start your agent in this folder, or try: agnes catalog");
    }

    private static string Stamp(Host host) => host.Clock.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
}
