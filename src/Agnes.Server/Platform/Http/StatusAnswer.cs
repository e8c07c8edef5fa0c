namespace Agnes.Server.Platform.Http;

/// <summary>An answer that says no more than that it was done. For the description: handlers write it by hand.</summary>
internal sealed record StatusAnswer(string Status);
