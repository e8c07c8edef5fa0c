using System.Text.Json.Nodes;
using Agnes.Engine.Outbound;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Commands.Scheduler;

/// <summary>The role <c>scheduler</c>: a process that calls a server, tells its own health, and opens no state.</summary>
internal static class SchedulerMain
{
    /// <summary>Ticks that may be missing before it counts as ill.</summary>
    private const int TicksMissingMax = 4;
    private static readonly TimeSpan EndsWithin = TimeSpan.FromMinutes(31); // longer than the longest call

    public static async Task<int> RunAsync(SchedulerOptions options, CancellationToken stop)
    {
        await using var app = Build(options);
        await app.StartAsync(stop);
        await app.WaitForShutdownAsync(stop);
        return 0;
    }

    /// <param name="adjust">What a test replaces, e.g. the clock.</param>
    public static WebApplication Build(SchedulerOptions options, Action<IServiceCollection>? adjust = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        LogLines.AddTo(builder.Logging, options.LogLevel);
        builder.WebHost.UseUrls(options.Urls);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = EndsWithin);
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(new OutboundGuard([]));
        builder.Services.AddOutboundClients();
        builder.Services.AddOperatorsClient(SchedulerLoop.ClientName);
        builder.Services.AddSingleton<SchedulerLoop>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<SchedulerLoop>());
        adjust?.Invoke(builder.Services);
        var app = builder.Build();
        app.MapGet("/healthz", Health);
        return app;
    }

    private static IResult Health(SchedulerLoop loop, SchedulerOptions options, TimeProvider time)
    {
        var since = loop.LastTick is { } last ? time.GetUtcNow().UtcDateTime - last : (TimeSpan?)null;
        var isWell = since is null || since < options.Tick * TicksMissingMax;
        var body = new JsonObject { ["status"] = isWell ? "ok" : "late", ["seconds_since_tick"] = since is { } passed ? (long)passed.TotalSeconds : null };
        return JsonBody.Of(body, isWell ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }
}
