using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Uploads;

/// <summary><c>POST /api/upload/local-md</c></summary>
internal static class UploadLocalNotes
{
    private const string Folder = "user_local_md";
    private const int NameHexDigits = 24;

    public static async Task<IResult> HandleAsync(HttpContext context, UploadFolder uploads, AuditLog audit, CancellationToken stop)
    {
        var body = await RequestBody.ReadAsync(context);
        var content = body.String("content");
        body.ThrowIfInvalid();
        var bytes = Encoding.UTF8.GetBytes(content);
        if (bytes.Length > UploadFolder.NotesBytesMax) return Problem.Detail(StatusCodes.Status413PayloadTooLarge, "Notes too large (max 1MB)");
        var email = context.Caller().Email;
        // The address is not in the name, so that a listing of the folder tells nobody who is here.
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(email)))[..NameHexDigits] + ".md";
        using var source = new MemoryStream(bytes, writable: false);
        await uploads.StoreAsync(Folder, "", name, source, stop);
        await audit.AppendAsync(context.Caller().UserId, UploadFolder.Action, Folder, new JsonObject { ["size"] = bytes.Length }, cancellation: CancellationToken.None);
        // Characters as people count code points, not UTF-16 units.
        return JsonBody.Of(new UploadedNotes("ok", email, content.EnumerateRunes().Count()), UploadsJson.Default.UploadedNotes);
    }
}
