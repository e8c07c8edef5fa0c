using System.Reflection;
using Agnes.Engine.Query;
using Agnes.Server.Features.ColumnMetadata;
using Agnes.Server.Features.Metrics;
using Agnes.Server.Features.VerifiedQueries;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Demo;

/// <summary>The demo's metric definitions, verified queries and words about columns. What is there already, perhaps edited since, stays as it is.</summary>
internal sealed class DemoKnowledge(StateDb state, Definitions definitions, MetricCheck check)
{
    private const string MetricsFile = "demo/metrics.yml";
    private const string QueriesFile = "demo/queries.yml";
    private const string ColumnsFile = "demo/columns.yml";

    /// <exception cref="InvalidOperationException">A definition does not agree with the sample tables: a defect of ours.</exception>
    public async Task EnsureAsync(CancellationToken stop)
    {
        var snapshot = state.Snapshot;
        var admin = snapshot.UserByEmail(DemoPlan.AdminEmail) ?? throw new InvalidOperationException("the demo's admin is missing");
        var asker = Asker.Server(snapshot, stop);
        var faults = new List<string>();
        var there = await definitions.EverythingAsync(snapshot, stop);
        var metrics = await MissingMetricsAsync(there, asker, faults, stop);
        var queries = await MissingQueriesAsync(there, asker, faults, stop);
        if (faults.Count > 0) throw new InvalidOperationException(string.Join("; ", faults));
        var columns = await MissingColumnsAsync(stop);
        if (metrics.Count == 0 && queries.Count == 0 && columns.Count == 0) return;
        await state.WriteAsync(
            async write =>
            {
                foreach (var metric in metrics) await MetricStore.SaveAsync(write, metric, admin.Id);
                foreach (var (table, changes) in columns)
                {
                    await ColumnMetadataStore.SaveAsync(write, table, changes);
                    write.Audit(admin.Id, "column_metadata.saved", $"table:{table}");
                }

                foreach (var query in queries) await VerifiedQueryStore.SaveAsync(write, query with { CanonicalBy = admin.Id, CanonicalAt = write.Now }, admin.Id);
            },
            stop);
    }

    private async Task<List<MetricRow>> MissingMetricsAsync(VisibleDefinitions there, Asker asker, List<string> faults, CancellationToken stop)
    {
        var missing = new List<MetricRow>();
        foreach (var metric in MetricYaml.Read(YamlText.Read(Text(MetricsFile))!, null, faults))
        {
            if (there.Metric(metric.Id) is null) missing.Add(await check.ReadAsync(asker, metric, faults, faults, stop));
        }
        return missing;
    }

    private async Task<List<VerifiedQueryRow>> MissingQueriesAsync(VisibleDefinitions there, Asker asker, List<string> faults, CancellationToken stop)
    {
        var missing = new List<VerifiedQueryRow>();
        foreach (var query in VerifiedQueryYaml.Read(YamlText.Read(Text(QueriesFile))!, null, faults))
        {
            if (there.Query(query.Id) is null) missing.Add(await ImportVerifiedQueries.CheckAsync(asker, check, query, faults, stop));
        }
        return missing;
    }

    private async Task<List<(string Table, List<ColumnChange> Changes)>> MissingColumnsAsync(CancellationToken stop)
    {
        var missing = new List<(string Table, List<ColumnChange> Changes)>();
        foreach (var (table, described) in YamlText.Read(Text(ColumnsFile))!.AsObject())
        {
            var known = (await ColumnMetadataStore.ListAsync(state, table, stop)).Select(column => column.ColumnName).ToHashSet(StringComparer.Ordinal);
            var changes = described!.AsObject().Where(column => !known.Contains(column.Key)).Select(column => new ColumnChange(column.Key, Said.Nothing, new Said(IsSaid: true, column.Value!.ToString()))).ToList();
            if (changes.Count > 0) missing.Add((table, changes));
        }
        return missing;
    }

    private static string Text(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name) ?? throw new InvalidOperationException($"{name} is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
