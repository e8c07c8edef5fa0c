using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Features.Uploads;

/// <summary>What laptops bring: transcripts of the agent's sessions, files, and their user's notes. Each caller writes to a folder of their own.</summary>
internal static class UploadsFeature
{
    /// <summary>A file, and the form around it.</summary>
    private const long FormBytesMax = UploadFolder.FileBytesMax + (1 << 20);

    private const long NotesBodyBytesMax = (UploadFolder.NotesBytesMax * 6) + (64 << 10);

    public static void MapUploads(this IEndpointRouteBuilder routes)
    {
        var uploads = routes.MapGroup("/api/upload").WithTags("uploads").SignedIn().FillsDisk();
        uploads.MapPost("/sessions", UploadSession.HandleAsync).Produces<UploadedFile>().BodyBytesMax(FormBytesMax)
            .WithSummary("Store a transcript of one of your sessions; the same name replaces it.");
        uploads.MapPost("/artifacts", UploadArtifact.HandleAsync).Produces<UploadedFile>().BodyBytesMax(FormBytesMax)
            .WithSummary("Store a file of any kind; the same name replaces it.");
        uploads.MapPost("/local-md", UploadLocalNotes.HandleAsync).Produces<UploadedNotes>().BodyBytesMax(NotesBodyBytesMax)
            .WithSummary("Store your CLAUDE.local.md.");
    }

    public static void AddUploads(this IServiceCollection services) => services.AddSingleton<UploadFolder>().AddSingleton<IRetained, RetainedUploads>();
}
