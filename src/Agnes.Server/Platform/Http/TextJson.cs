using System.Text.Json.Serialization;

namespace Agnes.Server.Platform.Http;

/// <summary>For texts that are put into a body by hand.</summary>
[JsonSerializable(typeof(string))]
internal sealed partial class TextJson : JsonSerializerContext;
