using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Distribution;

/// <summary><c>GET /cli/download</c> and by name.</summary>
internal static class DownloadCli
{
    private const string RidDefault = "linux-x64";

    public static IResult ForPlatform(CliPackages packages, string? rid = null) => Send(packages.ForPlatform(rid ?? RidDefault));

    public static IResult ByName(CliPackages packages, string filename) => Send(packages.Find(filename));

    private static IResult Send(CliPackage? package) => package is null
        ? Problem.NotFound("This server offers no command line of that name. See /cli/latest for what there is.")
        : TypedResults.PhysicalFile(package.Path, "application/octet-stream", package.FileName, enableRangeProcessing: true, entityTag: new($"\"{package.Sha256}\""));
}
