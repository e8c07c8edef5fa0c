using System.Text.Json.Serialization;
using Agnes.Engine.Query;
using Agnes.Protocol;
using Agnes.Server.Features.Metrics;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.VerifiedQueries;

/// <summary>
/// <c>POST /api/admin/verified-queries/import</c>, multipart with one or more YAML files named <c>file</c>. All or nothing. A query that does not agree with the tables is
/// refused: what an admin may call canonical must at least run.
/// </summary>
internal static class ImportVerifiedQueries
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, MetricCheck check)
    {
        var faults = new List<string>();
        var rows = new List<VerifiedQueryRow>();
        foreach (var file in await YamlUpload.ReadAsync(context)) rows.AddRange(VerifiedQueryYaml.Read(file.Document, file.Folder, faults));
        if (rows.Count == 0 && faults.Count == 0) throw YamlUpload.Empty();
        if (rows.GroupBy(row => row.Id, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice) faults.Add($"{twice.Key}: it is there {twice.Count()} times");
        for (var index = 0; index < rows.Count && faults.Count == 0; index++) rows[index] = await CheckAsync(Asker.Of(context), check, rows[index], faults, context.RequestAborted);
        if (faults.Count > 0) return Problem.Detail(StatusCodes.Status400BadRequest, $"Nothing was imported. {string.Join("; ", faults)}");

        var by = context.Caller().UserId;
        await state.WriteAsync(
            async write =>
            {
                foreach (var row in rows) await VerifiedQueryStore.SaveAsync(write, row, by);
            },
            context.RequestAborted);
        return JsonBody.Of(new ImportedQueries("imported", rows.Count), VerifiedQueriesJson.Default.ImportedQueries);
    }

    public static async Task<VerifiedQueryRow> CheckAsync(Asker asker, MetricCheck check, VerifiedQueryRow query, List<string> faults, CancellationToken stop)
    {
        var parameters = query.ReadParameters();
        var found = await check.CheckAsync(asker, query.Sql, QueryParameters.Prefix(parameters, QueryParameters.Samples(parameters)), stop);
        if (!found.IsBound && found.Status != StatementStatus.TableNotReady) faults.Add($"{query.Id}: {found.Message}");
        return query with { SqlTables = MetricJson.Write([.. found.Tables.Order(StringComparer.OrdinalIgnoreCase)]), Bound = found.IsBound };
    }
}

internal sealed record ImportedQueries(string Status, int Count);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ImportedQueries))]
[JsonSerializable(typeof(DeletedQuery))]
internal sealed partial class VerifiedQueriesJson : JsonSerializerContext;
