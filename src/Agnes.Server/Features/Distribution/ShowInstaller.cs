using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Distribution;

/// <summary>
/// <c>GET /cli/install.sh</c> and <c>/cli/install.ps1</c>: scripts with this server's address, the versions it offers and their hashes written in. Whoever runs one has
/// nothing else to trust, so what comes from outside is let in by a list of characters.
/// </summary>
internal static partial class ShowInstaller
{
    private const string VersionDefault = "dev";

    public static IResult Shell(HttpContext context, ServerOptions options, CliPackages packages) =>
        Script("install.sh", Address(context, options), packages, package => $"  {package.Rid}) version={package.Version} file={package.FileName} sha256={package.Sha256} ;;");

    public static IResult PowerShell(HttpContext context, ServerOptions options, CliPackages packages) =>
        Script("install.ps1", Address(context, options), packages, package => $"  '{package.Rid}' {{ $version = '{package.Version}'; $file = '{package.FileName}'; $sha256 = '{package.Sha256}' }}");

    /// <summary>The configured address; without one, where this request went, if it holds nothing that a shell could take for more than text.</summary>
    public static string Address(HttpContext context, ServerOptions options)
    {
        var address = options.ServerUrl ?? $"{context.Request.Scheme}://{context.Request.Host}{context.Request.PathBase}";
        return BaseAddress().IsMatch(address) ? address : throw new ProblemException(StatusCodes.Status400BadRequest, "The address of this request cannot be written into a script. An operator sets SERVER_URL.");
    }

    private static IResult Script(string name, string address, CliPackages packages, Func<CliPackage, string> line)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"install/{name}") ?? throw new InvalidOperationException($"{name} is not embedded.");
        using var reader = new StreamReader(stream);
        var current = packages.Current();
        var version = Environment.GetEnvironmentVariable("AGNES_VERSION") is { } given && VersionText().IsMatch(given) ? given : VersionDefault;
        var text = reader.ReadToEnd().ReplaceLineEndings("\n")
            .Replace("@SERVER@", address, StringComparison.Ordinal)
            .Replace("@PLAIN@", IsPlain(address) ? "1" : "", StringComparison.Ordinal)
            .Replace("@VERSION@", version, StringComparison.Ordinal)
            .Replace("@PACKAGES@", string.Join('\n', current.Select(line)), StringComparison.Ordinal);
        return TypedResults.Text(text, "text/plain", Encoding.UTF8);
    }

    /// <summary>Whoever is between this server and another machine can change what goes over plain http.</summary>
    private static bool IsPlain(string address) => new Uri(address) is { Scheme: "http", IsLoopback: false };

    [GeneratedRegex(@"\Ahttps?://[A-Za-z0-9._\-\[\]:]+(:[0-9]+)?(/[A-Za-z0-9._\-/]*)?\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex BaseAddress();

    [GeneratedRegex(@"\A[A-Za-z0-9._\-]+\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex VersionText();
}
