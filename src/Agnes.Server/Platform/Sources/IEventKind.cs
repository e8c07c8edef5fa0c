namespace Agnes.Server.Platform.Sources;

/// <summary>A kind of source whose tables are made of what it sends by itself.</summary>
internal interface IEventKind
{
    /// <summary>What sends, as it is set now, and how its events become rows; none where nothing can be sent yet.</summary>
    IEnumerable<EventSource> Events(IServiceProvider services);
}

/// <param name="Name">Of the source: its folder below <c>extracts/</c>.</param>
/// <param name="Schema">As the folding child knows it.</param>
/// <param name="KeyColumn">Of its tables: which rows go together.</param>
/// <param name="Options">What the schema is told.</param>
internal sealed record EventSource(string Name, string Schema, string KeyColumn, IReadOnlyDictionary<string, string> Options);
