namespace Agnes.Server.Features.Prompts.Templates;

/// <summary>A template that cannot be read or rendered; the message is for the admin who wrote it.</summary>
public sealed class TemplateException(string message) : Exception(message);
