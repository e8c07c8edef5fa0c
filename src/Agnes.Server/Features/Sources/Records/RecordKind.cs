using Agnes.Connectors.Records;
using Agnes.Engine.Parts;
using Agnes.Server.Features.Sources.Events;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sources.Records;

/// <summary>Any system that can post: each connection has an address, a secret, and says which values of what is posted are the columns of its table.</summary>
internal sealed class RecordKind : SourceKind, IEventKind
{
    public const string KindName = "webhook";
    public const string SecretSetting = "secret";
    public const string SchemeSetting = "scheme";
    public const string HeaderSetting = "header";
    public const string Bearer = "bearer";
    public const string Hmac = "hmac";

    public override string Name => KindName;

    public override string Title => "a system that posts";

    public override string? OfferedAs => null;

    /// <summary>Each connection has an address of its own; there is none by default.</summary>
    public override bool HasDefault => false;

    public override IReadOnlyList<SourceSetting> ConnectionSettings =>
    [
        new(RecordSettings.ColumnsOption) { IsRequired = true, Hint = "name type path; name type path; … Types: text, bigint, double, boolean, timestamp, json. The path leads from the outside in: order.items[0].id" },
        new(RecordSettings.KeyOption) { Hint = "Path to what makes two records speak of one thing: the newer replaces the older. None: every record is a row." },
        new(RecordSettings.TimeOption) { Hint = "Path to when a record was so (ISO 8601, or seconds or milliseconds since 1970). None: when it came." },
        new(RecordSettings.DeletedOption) { Hint = "path=value that says a thing is gone, as in event=order.deleted" },
        new(RecordSettings.ItemsOption) { Hint = "Path to a list, where one body holds several records." },
        new(RecordSettings.TableOption) { Hint = "The table's name; else that of the connection." },
        new(SchemeSetting) { Hint = "hmac (a signature over the body, SHA-256; the default) or bearer (the secret itself as a token)." },
        new(HeaderSetting) { Hint = "The header of the signature; X-Hub-Signature-256 where it is not set." },
        new(SecretSetting, "secret") { Hint = "Proves that a delivery is from the system, which knows it too." },
    ];

    public override string? ConnectionFault(IReadOnlyDictionary<string, string> settings, ServerOptions options)
    {
        if (settings.GetValueOrDefault(SchemeSetting) is { Length: > 0 } scheme && scheme is not (Bearer or Hmac)) return $"scheme: '{scheme}' is none. Write {Hmac} or {Bearer}.";
        try
        {
            RecordSettings.Parse(settings, "t");
            return null;
        }
        catch (FormatException fault)
        {
            return fault.Message;
        }
    }

    public override string NoteOn(TableRow row, Connection? connection, DataFolder folder) => "Not looked at: it comes when it is posted.";

    public IEnumerable<EventSource> Events(IServiceProvider services) => services.GetRequiredService<StateDb>().Snapshot.Connections.Values
        .Where(row => row.Kind == KindName).OrderBy(row => row.Name, StringComparer.Ordinal).Select(Source);

    public static EventSource? Find(Snapshot snapshot, string connection) =>
        snapshot.Connections.GetValueOrDefault(connection) is { Kind: KindName } row ? Source(row) : null;

    private static EventSource Source(ConnectionRow row) => new(row.Name, RecordSchema.SchemaName, RecordSettings.IdColumn, row.Values);
}
