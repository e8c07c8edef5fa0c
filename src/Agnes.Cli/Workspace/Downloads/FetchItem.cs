using Agnes.Protocol;

namespace Agnes.Cli.Workspace.Downloads;

/// <summary>One file to bring: where from, and how it is known to be right.</summary>
/// <param name="Label">What people see.</param>
/// <param name="Sha256">Null for a whole-table file of an older server.</param>
/// <param name="Md5">Where there is no SHA-256; empty where there is nothing at all.</param>
/// <param name="SizeBytes">Null where only asking tells.</param>
internal sealed record FetchItem(string Label, string UrlPath, string? Sha256, string? Md5, long? SizeBytes)
{
    /// <summary>Leftovers of a killed pull are continued under the same name, so it says exactly which bytes it stands for.</summary>
    public string PartialName => Sha256 ?? (string.IsNullOrEmpty(Md5) ? $"file-{Label}" : $"md5-{Label}-{Md5}");

    /// <summary>Only bytes that are known by a hash can be continued by another process.</summary>
    public bool CanResume => Sha256 is not null || !string.IsNullOrEmpty(Md5);

    public static FetchItem ForPart(WantedTable table, TablePart part) => new(
        table.Parts is { Count: > 1 } ? $"{table.Name}/{part.Name}" : table.Name,
        $"/api/data/{Uri.EscapeDataString(table.Key)}/parts/{part.Sha256}", part.Sha256, null, part.SizeBytes);

    public static FetchItem ForWholeFile(WantedTable table) => new(
        table.Name, $"/api/data/{Uri.EscapeDataString(table.Name)}/download", null, table.Entry.Hash, null);
}

/// <summary>What came: the part as it now lies in the store.</summary>
internal sealed record Fetched(string Sha256, long SizeBytes, long BytesReceived);

/// <summary>A download that failed for good. <see cref="IsGone"/>: the server no longer offers it to us (the manifest may have moved on).</summary>
internal sealed class FetchException(string message, bool isGone = false) : Exception(message)
{
    public bool IsGone { get; } = isGone;
}
