using Agnes.Server.Features.Catalog.Pages;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.Home;

/// <summary>The commands that connect a laptop to this server.</summary>
internal static class Connect
{
    /// <param name="table">One that the reader may query, for the example.</param>
    public static IReadOnlyList<ConnectStep> Steps(string server, string? table, string token = "YOUR_TOKEN") =>
    [
        new("In an empty folder, connect to this server and fetch your tables.", InitCommand(server, token), "the init command"),
        new("See what is there.", "agnes catalog", "the catalog command"),
        new("Ask a question, or start your coding agent in the folder and let it ask.", table is null ? "agnes query \"SELECT 1\"" : TableCommands.For(table).Query, "a first query"),
    ];

    public static string InitCommand(string server, string token) => $"agnes init --server-url {server} --token {token}";

    /// <summary>The address that laptops reach, as configured, else as this browser reached it. The characters are those of a host, so it is safe in a shell.</summary>
    public static string ServerUrl(HttpContext context, ServerOptions options) =>
        options.ServerUrl ?? new Uri($"{context.Request.Scheme}://{context.Request.Host.ToUriComponent()}").GetLeftPart(UriPartial.Authority);
}
