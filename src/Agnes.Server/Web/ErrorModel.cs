namespace Agnes.Server.Web;

/// <summary>What an error page says.</summary>
public sealed record ErrorModel(int Status, string Title, string Message, string Path, string Reference);
