using System.Text.Json.Serialization;

namespace Agnes.Server.Features.Uploads;

internal sealed record UploadedFile(string Status, string Filename, long Size);

/// <param name="Size">In characters.</param>
internal sealed record UploadedNotes(string Status, string User, int Size);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(UploadedFile))]
[JsonSerializable(typeof(UploadedNotes))]
internal sealed partial class UploadsJson : JsonSerializerContext;
