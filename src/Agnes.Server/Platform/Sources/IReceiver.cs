namespace Agnes.Server.Platform.Sources;

/// <summary>Takes what a source sends by itself, at <c>POST /webhooks/KIND</c>.</summary>
internal interface IReceiver
{
    /// <summary>Why nothing can be taken now, or null: without a secret nobody's word counts.</summary>
    string? NotSetUp(IServiceProvider services);

    /// <summary>Whether it is from the source: by its signature over the very bytes, compared in constant time. Nothing of the body is to be understood before.</summary>
    bool IsGenuine(Delivery delivery, IServiceProvider services);

    /// <summary>Stores what it says, so that it is not lost when this returns; a source may send the same twice.</summary>
    /// <returns>The answer. A refusal says what is wrong with the body.</returns>
    Task<IResult> TakeAsync(Delivery delivery, IServiceProvider services, CancellationToken stop);
}

/// <summary>One call of a source, whole.</summary>
internal sealed record Delivery(IHeaderDictionary Headers, ReadOnlyMemory<byte> Body);
