using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Metrics;

/// <summary>
/// <c>POST /api/admin/metrics/import</c>, multipart with one or more YAML files named <c>file</c>. In one transaction: a fault in one entry, and none is stored. An entry
/// without a category gets the folder that the file's name carries.
/// </summary>
internal static class ImportMetrics
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, MetricCheck check)
    {
        var faults = new List<string>();
        var rows = new List<MetricRow>();
        foreach (var file in await YamlUpload.ReadAsync(context)) rows.AddRange(MetricYaml.Read(file.Document, file.Folder, faults));
        if (rows.Count == 0 && faults.Count == 0) throw YamlUpload.Empty();
        if (rows.GroupBy(row => row.Id, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice) faults.Add($"{twice.Key}: it is in several files");
        if (faults.Count > 0) return Refuse(faults);

        var warnings = new List<string>();
        for (var index = 0; index < rows.Count; index++) rows[index] = await check.ReadAsync(Asker.Of(context), rows[index], faults, warnings, context.RequestAborted);
        if (faults.Count > 0) return Refuse(faults);
        var by = context.Caller().UserId;
        await state.WriteAsync(
            async write =>
            {
                foreach (var row in rows) await MetricStore.SaveAsync(write, row, by);
            },
            context.RequestAborted);
        return JsonBody.Of(new ImportedMetrics("imported", rows.Count, warnings), MetricAnswersJson.Default.ImportedMetrics);
    }

    private static IResult Refuse(List<string> faults) => Problem.Detail(StatusCodes.Status400BadRequest, $"Nothing was imported. {string.Join("; ", faults)}");
}

/// <summary>YAML files of a form.</summary>
internal static class YamlUpload
{
    private const long FileBytesMax = 1 << 20;
    private const int FilesMax = 500;

    /// <exception cref="ProblemException">No file, or one that is not YAML.</exception>
    public static async Task<IReadOnlyList<YamlFile>> ReadAsync(HttpContext context)
    {
        var form = context.Request.HasFormContentType ? await FormAsync(context) : null;
        var files = form?.Files.GetFiles("file") ?? [];
        if (files.Count == 0)
        {
            var invalid = new Invalid();
            invalid.Add("missing", ["body", "file"], "Field required", null);
            throw invalid.Exception();
        }
        if (files.Count > FilesMax) throw new ProblemException(StatusCodes.Status400BadRequest, $"At most {FilesMax} files at once.");
        var read = new List<YamlFile>();
        foreach (var file in files) read.Add(await ReadAsync(file, context.RequestAborted));
        return read;
    }

    public static ProblemException Empty() => new(StatusCodes.Status400BadRequest, "Empty YAML file");

    private static async Task<YamlFile> ReadAsync(IFormFile file, CancellationToken stop)
    {
        if (file.Length > FileBytesMax) throw new ProblemException(StatusCodes.Status413PayloadTooLarge, $"A file may have {FileBytesMax >> 10} KiB at most.");
        using var reader = new StreamReader(file.OpenReadStream(), new UTF8Encoding(false, throwOnInvalidBytes: true));
        try
        {
            var document = YamlText.Read(await reader.ReadToEndAsync(stop)) ?? throw Empty();
            return new YamlFile(FolderOf(file.FileName), document);
        }
        catch (Exception fault) when (fault is FormatException or DecoderFallbackException)
        {
            throw new ProblemException(StatusCodes.Status400BadRequest, $"Invalid YAML: {fault.Message}");
        }
    }

    private static async Task<IFormCollection> FormAsync(HttpContext context)
    {
        try
        {
            return await context.Request.ReadFormAsync(context.RequestAborted);
        }
        catch (InvalidDataException)
        {
            throw new ProblemException(StatusCodes.Status400BadRequest, "The form could not be read.");
        }
    }

    /// <summary>Never a path on this machine: only the word before the file's name.</summary>
    private static string? FolderOf(string name) => name.Replace('\\', '/').Split('/') is [.., { Length: > 0 } folder, _] ? folder : null;
}

/// <param name="Folder">The folder that the sender had it in; null when not said.</param>
internal sealed record YamlFile(string? Folder, JsonNode Document);
