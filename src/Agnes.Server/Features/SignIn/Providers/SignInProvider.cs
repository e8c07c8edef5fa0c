namespace Agnes.Server.Features.SignIn.Providers;

/// <summary>A button on the sign-in page.</summary>
public sealed record ProviderButton(string Label, string Href)
{
    /// <summary>Leads to another site, so the browser has to go there by itself.</summary>
    public bool LeavesSite { get; init; }
}

/// <summary>
/// One way to prove who one is: its routes, its button, and the condition under which it is offered. It lives in one folder and is named by one line in
/// <see cref="ProviderList"/>. On success it ends with <see cref="Sessions.SessionBegin"/>; nothing else changes.
/// </summary>
internal interface ISignInProvider
{
    /// <summary>Null when it is not offered. Its routes exist all the same and refuse.</summary>
    /// <param name="next">Where to go on to afterwards, checked already.</param>
    ProviderButton? Button(string? next);

    /// <summary>Each route declares its access, as any.</summary>
    void Map(IEndpointRouteBuilder routes);
}
