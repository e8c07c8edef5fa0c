namespace Agnes.Server.Platform.State;

/// <summary>
/// What a feature keeps for something that may end. Whoever ends it walks over all of these, in the transaction in which it ends, so that a later one of the
/// same id starts with nothing of it.
/// </summary>
internal interface IBelonging
{
    /// <summary>What it is that is kept, for those who read the list.</summary>
    string Name { get; }

    /// <param name="id">The registry's id; of a table that nobody registered its name.</param>
    Task EndTableAsync(StateWrite write, string id) => Task.CompletedTask;

    Task EndUserAsync(StateWrite write, string id) => Task.CompletedTask;

    /// <summary>The account is closed for now: whatever could still act for its owner must not wait for it to be opened again.</summary>
    Task CloseUserAsync(StateWrite write, string id) => Task.CompletedTask;

    Task EndGroupAsync(StateWrite write, string id) => Task.CompletedTask;

    /// <summary>Parts are many, and end together: whatever is kept for one that is not among these goes.</summary>
    /// <param name="named">SHA-256 of all parts that a version still names.</param>
    Task EndPartsAsync(StateWrite write, IReadOnlySet<string> named) => Task.CompletedTask;
}

/// <summary>All that features keep for what may end.</summary>
internal sealed class Belongings(IEnumerable<IBelonging> kinds)
{
    public Task EndTableAsync(StateWrite write, string id) => EachAsync(kind => kind.EndTableAsync(write, id));

    public Task EndUserAsync(StateWrite write, string id) => EachAsync(kind => kind.EndUserAsync(write, id));

    /// <inheritdoc cref="IBelonging.CloseUserAsync"/>
    public Task CloseUserAsync(StateWrite write, string id) => EachAsync(kind => kind.CloseUserAsync(write, id));

    public Task EndGroupAsync(StateWrite write, string id) => EachAsync(kind => kind.EndGroupAsync(write, id));

    /// <inheritdoc cref="IBelonging.EndPartsAsync"/>
    public Task EndPartsAsync(StateWrite write, IReadOnlySet<string> named) => EachAsync(kind => kind.EndPartsAsync(write, named));

    private async Task EachAsync(Func<IBelonging, Task> end)
    {
        foreach (var kind in kinds) await end(kind);
    }
}
