using Agnes.Server.Platform.Audit;

namespace Agnes.Server.Features.Uploads;

/// <summary><c>POST /api/upload/sessions</c></summary>
internal static class UploadSession
{
    private const string Folder = "user_sessions";

    public static Task<IResult> HandleAsync(HttpContext context, UploadFolder uploads, AuditLog audit, CancellationToken stop) =>
        UploadForm.StoreAsync(context, uploads, audit, Folder, "session_", ".jsonl", stop);
}
