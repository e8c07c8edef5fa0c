using Agnes.Engine.Limits;
using Agnes.Engine.Outbound;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;
using Agnes.Server.Web;

namespace Agnes.Server;

/// <summary>Puts the web server together. Tests start the same thing on a port of their own.</summary>
public static class ServerApp
{
    /// <summary>Enough for any control request; endpoints that take files say so themselves.</summary>
    private const long BodyBytesMax = 1 << 20;
    private const int HeaderBytesMax = 32 << 10;

    /// <summary>What a connection holds of a body that nobody reads yet.</summary>
    private const int ReadBufferBytes = 128 << 10;
    private const int StreamsMax = 100;
    private static readonly TimeSpan HeaderTimeMax = TimeSpan.FromSeconds(15);

    /// <summary>A few pieces of a download, so that the next is read while one is being sent.</summary>
    private const int WriteBufferBytes = 1 << 20;

    /// <summary>Opens the state and builds the server, not yet listening.</summary>
    /// <param name="adjust">What a test replaces, e.g. the clock.</param>
    /// <exception cref="OptionsException">It cannot start with these options.</exception>
    /// <exception cref="StateRefusedException">It cannot start on this state.</exception>
    public static async Task<WebApplication> BuildAsync(ServerOptions options, Action<IServiceCollection>? adjust = null, CancellationToken stop = default)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            ContentRootPath = AppContext.BaseDirectory,
            ApplicationName = typeof(ServerApp).Assembly.GetName().Name, // also when a test's program hosts it: the web's files go by this name
        });
        LogLines.AddTo(builder.Logging, options.LogLevel);
        builder.WebHost.UseUrls(options.Urls);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = BodyBytesMax;
            kestrel.Limits.MaxRequestHeadersTotalSize = HeaderBytesMax;
            kestrel.Limits.MaxRequestBufferSize = ReadBufferBytes;
            kestrel.Limits.RequestHeadersTimeout = HeaderTimeMax;
            kestrel.Limits.MaxConcurrentConnections = options.Limits.ConnectionsMax;
            kestrel.Limits.Http2.MaxStreamsPerConnection = StreamsMax;
            kestrel.Limits.Http2.InitialStreamWindowSize = ReadBufferBytes;
            kestrel.Limits.Http2.InitialConnectionWindowSize = ReadBufferBytes;
            kestrel.ConfigureEndpointDefaults(listen => listen.Use(listen.ApplicationServices.GetRequiredService<Connections>().Guard));
        });
        builder.WebHost.UseSockets(sockets =>
        {
            sockets.MaxReadBufferSize = ReadBufferBytes;

            // Nothing here blocks for long, and a hop to another thread for each piece costs large answers a tenth of their throughput.
            sockets.UnsafePreferInlineScheduling = true;
            sockets.MaxWriteBufferSize = WriteBufferBytes;
        });
        AddPlatform(builder.Services, options);
        builder.AddWeb();
        FeatureList.AddServices(builder.Services, options);
        adjust?.Invoke(builder.Services);

        // Before the container exists, so that a server that cannot open its state fails here, with the reason, and not in its first request.
        var state = await OpenStateAsync(options, builder.Services, stop);
        builder.Services.AddSingleton(_ => state);
        try
        {
            var app = builder.Build();
            app.Services.GetRequiredService<StateDb>();
            UsePlatform(app, options);
            FeatureList.Map(app, options.Role);
            if (options.Role.ServesRequests()) app.MapWebAssets();
            await FeatureList.PrepareAsync(app.Services, stop);
            return app;
        }
        catch
        {
            await state.DisposeAsync();
            throw;
        }
    }

    private static async Task<StateDb> OpenStateAsync(ServerOptions options, IServiceCollection services, CancellationToken stop)
    {
        await using var early = services.BuildServiceProvider();
        ChildWalls.Check(options, early.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ChildWalls)));
        DataRoots.Close(options, early.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(DataRoots)));
        return await StateDb.OpenAsync(
            new StateOptions
            {
                DataDir = options.DataDir,
                StateDir = options.StateDir,
                ConnectionString = options.StateUrl,
                MemoryBytes = early.GetRequiredService<Budget>().State.MemoryBytes,
                EveryoneByHand = options.EveryoneByHand,
                CheckSnapshot = options.CheckState,
                Time = early.GetRequiredService<TimeProvider>(),
            },
            early.GetRequiredService<ILogger<StateDb>>(),
            stop);
    }

    private static void AddPlatform(IServiceCollection services, ServerOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(provider => SigningKey.Resolve(options, provider.GetRequiredService<ILogger<SigningKey>>()));
        services.AddSingleton(provider => SessionKey.Resolve(options, provider.GetRequiredService<ILogger<SessionKey>>()));
        services.AddSingleton<SessionTokens>();
        services.AddSingleton<ServiceSecret>();
        services.AddSingleton<SessionUses>();
        services.AddSingleton<KnownSessions>();
        services.AddSingleton<Authenticator>();
        services.AddSingleton<Leases>();
        services.AddSingleton<SameOrigin>();
        services.AddSingleton<Passwords>();
        services.AddSingleton<RateLimits>();
        services.AddSingleton<ApiRates>();
        services.AddSingleton<DiskReserve>();
        services.AddSingleton<RequestBounds>();
        services.AddSingleton<Connections>();
        services.AddSingleton<ProxyNotice>();
        services.AddSingleton<IResourceType, TableResources>();
        services.AddSingleton<ResourceTypes>();
        services.AddSingleton<AuditLog>();
        services.AddHostedService<RefusalWriter>();
        services.AddSingleton(new SecretStore(options.StateDir));
        services.AddSingleton(new OutboundGuard(options.AllowedPrivateHosts));
        services.AddOutboundClients();
        Compression.AddTo(services);
        ApiDescription.AddTo(services);
        services.AddCors(cors => cors.AddDefaultPolicy(policy => policy
            .WithOrigins([.. options.CorsOrigins]).AllowCredentials().AllowAnyHeader().AllowAnyMethod()));
    }

    private static void UsePlatform(WebApplication app, ServerOptions options)
    {
        app.Services.GetRequiredService<SigningKey>();
        app.UseConventions();
        app.UseMiddleware<Errors>();
        app.UseLocalOnly(options);
        app.UseForwarding(options, app.Services.GetRequiredService<ProxyNotice>());
        app.UseWhen(Compression.IsAllowedFor, branch => branch.UseResponseCompression());
        app.UseRouting();
        app.UseCors();
        app.UseMiddleware<Enforcement>();
    }
}
