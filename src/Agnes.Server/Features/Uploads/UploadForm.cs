using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Agnes.Server.Features.Uploads;

/// <summary>Reads the field <c>file</c> of a form piece by piece: nothing of it is held in memory or in a second temporary file.</summary>
internal static class UploadForm
{
    private const string Field = "file";
    private const int NameCharactersMax = 255;
    private const int BoundaryCharactersMax = 128;
    private const int SectionsMax = 16;

    /// <param name="prefix">Of names for files that came without one.</param>
    /// <param name="extension">Of such names.</param>
    public static async Task<IResult> StoreAsync(HttpContext context, UploadFolder uploads, AuditLog audit, string folder, string prefix, string extension, CancellationToken stop)
    {
        if (context.Request.ContentLength > UploadFolder.FileBytesMax + UploadFolder.FormOverheadBytesMax) return UploadFolder.TooLarge();
        if (await FileSectionAsync(context, stop) is not { } file)
        {
            var invalid = new Invalid();
            invalid.Add("missing", ["body", Field], "Field required", null);
            return invalid.Exception().Answer;
        }

        var name = SafeName(file.Name, prefix, extension);
        var size = await uploads.StoreAsync(folder, context.Caller().UserId, name, file.Body, stop);
        await audit.AppendAsync(context.Caller().UserId, UploadFolder.Action, $"{folder}/{name}", new JsonObject { ["size"] = size }, cancellation: CancellationToken.None);
        return JsonBody.Of(new UploadedFile("ok", name, size), UploadsJson.Default.UploadedFile);
    }

    private static async Task<(string? Name, Stream Body)?> FileSectionAsync(HttpContext context, CancellationToken stop)
    {
        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)) return null;
        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary).Value;
        if (string.IsNullOrEmpty(boundary) || boundary.Length > BoundaryCharactersMax) return null;
        var reader = new MultipartReader(boundary, context.Request.Body);
        try
        {
            for (var index = 0; index < SectionsMax && await reader.ReadNextSectionAsync(stop) is { } section; index++)
            {
                if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition) || HeaderUtilities.RemoveQuotes(disposition.Name) != Field) continue;
                var name = disposition.FileNameStar.HasValue ? disposition.FileNameStar : HeaderUtilities.RemoveQuotes(disposition.FileName);
                return (name.Value, section.Body);
            }
        }
        catch (Exception problem) when (problem is InvalidDataException or (IOException and not BadHttpRequestException) && !stop.IsCancellationRequested)
        {
            throw new ProblemException(StatusCodes.Status400BadRequest, "The form could not be read.");
        }

        return null;
    }

    /// <summary>The last segment of what the client sent, whatever kind of path it was. A name that is none, or hides, is replaced.</summary>
    internal static string SafeName(string? sent, string prefix, string extension)
    {
        var random = RandomNumberGenerator.GetHexString(8, lowercase: true);
        if (sent is null) return $"{prefix}{random}{extension}";
        var name = new string([.. sent[(sent.LastIndexOfAny(['/', '\\', ':']) + 1)..].Where(c => !char.IsControl(c) && c is not ('<' or '>' or '"' or '|' or '?' or '*'))]).Trim().TrimEnd('.');
        if (name.Length is 0 || name[0] == '.' || System.Text.Encoding.UTF8.GetByteCount(name) > NameCharactersMax)
        {
            return $"upload_{random}";
        }

        return name;
    }
}
