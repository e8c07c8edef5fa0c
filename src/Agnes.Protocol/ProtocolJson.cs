using System.Text.Json.Serialization;

namespace Agnes.Protocol;

/// <summary>Everything that crosses the wire between the two programs, in snake case, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Manifest))]
[JsonSerializable(typeof(PartsList))]
[JsonSerializable(typeof(Catalog))]
[JsonSerializable(typeof(CatalogV1))]
[JsonSerializable(typeof(TableSchema))]
[JsonSerializable(typeof(TableSample))]
[JsonSerializable(typeof(TableHistory))]
[JsonSerializable(typeof(TableVersion))]
[JsonSerializable(typeof(QueryRequest))]
[JsonSerializable(typeof(QueryResult))]
[JsonSerializable(typeof(VerifiedQuery))]
[JsonSerializable(typeof(VerifiedQueryList))]
[JsonSerializable(typeof(IReadOnlyList<QueryParameter>))]
public sealed partial class ProtocolJson : JsonSerializerContext;
