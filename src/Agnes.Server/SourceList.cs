using Agnes.Server.Features.Demo;
using Agnes.Server.Features.Sources.BigQuery;
using Agnes.Server.Features.Sources.Custom;
using Agnes.Server.Features.Sources.Derived;
using Agnes.Server.Features.Sources.Files;
using Agnes.Server.Features.Sources.Jira;
using Agnes.Server.Features.Sources.Keboola;
using Agnes.Server.Features.Sources.MySql;
using Agnes.Server.Features.Sources.Postgres;
using Agnes.Server.Features.Sources.Records;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server;

/// <summary>The kinds of sources, one line each, in the order in which people are offered them.</summary>
internal static class SourceList
{
    public static IReadOnlyList<SourceKind> All { get; } =
    [
        new KeboolaKind(),
        new BigQueryKind(),
        new JiraKind(),
        new FilesKind(),
        new SampleKind(),
        new PostgresKind(),
        new MySqlKind(),
        new CustomKind(),
        new RecordKind(),
        new DerivedKind(),
    ];

    public static void AddSources(this IServiceCollection services) => services.AddSingleton(provider =>
    {
        var setUp = new SetUpKinds(
            provider.GetRequiredService<ServerOptions>(), provider.GetRequiredService<SecretStore>(),
                provider.GetRequiredService<TimeProvider>());
        return new SourceKinds(All, setUp.Contains);
    });
}
