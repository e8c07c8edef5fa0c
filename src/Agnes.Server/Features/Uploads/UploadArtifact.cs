using Agnes.Server.Platform.Audit;

namespace Agnes.Server.Features.Uploads;

/// <summary><c>POST /api/upload/artifacts</c></summary>
internal static class UploadArtifact
{
    private const string Folder = "user_artifacts";

    public static Task<IResult> HandleAsync(HttpContext context, UploadFolder uploads, AuditLog audit, CancellationToken stop) =>
        UploadForm.StoreAsync(context, uploads, audit, Folder, "artifact_", "", stop);
}
