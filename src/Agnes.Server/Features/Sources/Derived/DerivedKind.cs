using Agnes.Connectors.Answers;
using Agnes.Engine.Parts;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sources.Derived;

/// <summary>Tables that are queries over other registered tables.</summary>
internal sealed class DerivedKind : SourceKind
{
    public const string TypeName = "derived";

    public override string Name => TypeName;

    public override string Title => "queries over other tables";

    public override string Connector => AnswersConnector.ConnectorName;

    public override IReadOnlyList<string> Modes => [TableRules.ModeMaterialized];

    public override TableRow Complete(TableRow row) =>
        row with { QueryMode = TableRules.ModeMaterialized, Bucket = null, SourceTable = null };

    public override string NoteOn(TableRow row, Connection? connection, DataFolder folder) =>
        "The query has been read over the tables as they are now; no row was.";
}
