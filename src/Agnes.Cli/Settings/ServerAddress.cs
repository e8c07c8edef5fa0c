using Agnes.Protocol;

namespace Agnes.Cli.Settings;

/// <summary>Where the server is. A path prefix belongs to the address and is kept.</summary>
internal sealed record ServerAddress(string Url)
{
    public const string Default = "http://localhost:8000";

    /// <exception cref="CliException">Not an http(s) address.</exception>
    public static ServerAddress Parse(string text)
    {
        var trimmed = text.Trim().TrimEnd('/');
        if (!Uri.TryCreate(trimmed, UriKind.Absolute, out var uri) || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps) || uri.Host.Length == 0)
        {
            throw new CliException($"'{Redactor.Redact(trimmed)}' is not the address of a server; it starts with https:// or http://.", Cli.ExitCode.Usage);
        }

        if (uri.UserInfo.Length > 0) throw new CliException("A server's address must not hold a user name or password.", Cli.ExitCode.Usage);
        if (uri.Query.Length > 0 || uri.Fragment.Length > 0) throw new CliException("A server's address must not hold '?' or '#'.", Cli.ExitCode.Usage);
        return new ServerAddress(trimmed);
    }

    /// <summary>Scheme, host and port, as they are compared: where a request goes, whatever its path.</summary>
    public string Origin => new Uri(Url).GetLeftPart(UriPartial.Authority);

    public Uri At(string path) => new(Url + path, UriKind.Absolute);

    public override string ToString() => Url;
}
