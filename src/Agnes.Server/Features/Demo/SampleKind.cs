using Agnes.Engine.Parts;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Demo;

/// <summary>Tables of an invented shop, for the demo.</summary>
internal sealed class SampleKind : SourceKind
{
    public const string TypeName = "sample";

    public override string Name => TypeName;

    public override string Title => "sample tables";

    public override string? OfferedAs => null;

    public override string Connector => "samples";

    public override Dictionary<string, string> OptionsOf(Connection connection, DataFolder folder) => new() { ["size"] = "s", ["seed"] = "42" };
}
