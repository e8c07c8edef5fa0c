using System.Text.Json;
using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Manifest;

/// <summary><c>GET /api/sync/manifest</c></summary>
internal static class ShowManifest
{
    public static IResult Handle(HttpContext context, ScopeBodies bodies, SourceKinds kinds) =>
        bodies.Answer(context, "manifest", (snapshot, caller) => Make(snapshot, caller, kinds));

    private static byte[] Make(Snapshot snapshot, Caller caller, SourceKinds kinds)
    {
        var tables = new Dictionary<string, ManifestTable>(StringComparer.Ordinal);
        foreach (var table in Scopes.Tables(snapshot, caller))
        {
            if (kinds.IsAsked(table.Row)) tables[table.Name] = AtItsSource(table);
            else if (table.Published is { } version) tables[table.Name] = Entry(snapshot, table, version);
        }
        var manifest = new Protocol.Manifest(tables, new Dictionary<string, ManifestAsset>(StringComparer.Ordinal), "");
        return ScopeBodies.WithoutTime(JsonSerializer.SerializeToUtf8Bytes(manifest, ProtocolJson.Default.Manifest));
    }

    /// <summary>Nothing to fetch: clients list it and ask the server.</summary>
    private static ManifestTable AtItsSource(NamedTable table) =>
        new(Hash: "", Updated: null, SizeBytes: 0, Rows: 0, QueryMode: table.Row!.QueryMode!, SourceType: table.Row.SourceType ?? "", Id: table.Id);

    private static ManifestTable Entry(Snapshot snapshot, NamedTable table, PublishedVersion version)
    {
        var several = version.Parts.Count > 1;
        var whole = several ? Consolidations.NewestWhole(snapshot, table.Name)?.Whole : null;
        return new ManifestTable(
            Hash: several ? whole?.Md5 ?? "" : version.Md5 ?? "",
            Updated: Timestamps.Naive(snapshot.SyncStates.GetValueOrDefault(table.Name)?.LastSync ?? version.ExtractedAt),
            SizeBytes: whole?.SizeBytes ?? version.Bytes,
            Rows: version.Rows,
            QueryMode: table.Row?.QueryMode ?? version.QueryMode,
            SourceType: table.Row?.SourceType ?? "",
            Id: table.Id,
            Version: version.Number,
            Sha256: version.Parts.Count == 1 ? version.Parts[0].Sha256 : null,
            PartsCount: several ? version.Parts.Count : null,
            PartsDigest: several ? version.PartsDigest : null);
    }
}
