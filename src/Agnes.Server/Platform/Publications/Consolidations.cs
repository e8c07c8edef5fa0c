using Agnes.Engine.Limits;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>The one file that stands for a table of several parts, for clients that know no parts.</summary>
internal sealed record Consolidated(string Sha256, string Md5, long SizeBytes, FileStamp Stamp);

/// <summary>Makes those files, at most hourly for each table, and only while somebody asks for them.</summary>
internal sealed class Consolidations
{
    public Consolidated? Of(PublishedVersion version) => null;

    public Task AskAsync(string table, CancellationToken cancellation) => Task.CompletedTask;
}
