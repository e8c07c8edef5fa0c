using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Serving;

namespace Agnes.Server.Features.Downloads;

/// <summary>Opens a part for sending; one that is not what was published is an error, never a wrong answer.</summary>
internal static class PartResult
{
    /// <exception cref="PartDamagedException"/>
    public static IResult Open(PartStore parts, string sha256, long sizeBytes, string fileName, DateTime? lastModified) =>
        new ParquetResult(new ParquetFile(parts.OpenRead(sha256, sizeBytes), sha256, fileName, lastModified));
}
