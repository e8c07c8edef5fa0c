using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Agnes.Emulators.Keboola;

/// <summary>Whether a request is signed as AWS documents for version 4, in its header.</summary>
internal static class AwsSignature
{
    private const string Algorithm = "AWS4-HMAC-SHA256";

    /// <returns>The access key that it is signed for; null where it is not signed, or wrongly.</returns>
    public static string? AccessKeyOf(HttpRequest request, string secret, string region)
    {
        var header = request.Headers.Authorization.ToString();
        if (!header.StartsWith($"{Algorithm} ", StringComparison.Ordinal)) return null;
        var said = header[Algorithm.Length..].Split(',').Select(pair => pair.Trim().Split('=', 2)).ToDictionary(pair => pair[0], pair =>
            pair[1], StringComparer.Ordinal);
        var scope = said["Credential"].Split('/');
        if (scope.Length != 5 || scope[2] != region || scope[3] != "s3") return null;
        var headers = said["SignedHeaders"].Split(';');
        var canonical = string.Join('\n',
            request.Method,
            string.Join('/', request.Path.Value!.Split('/').Select(Uri.EscapeDataString)),
            string.Join('&', request.Query.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair =>
                $"{Uri.EscapeDataString(pair.Key)}={Uri.EscapeDataString(pair.Value.ToString())}")),
            string.Concat(headers.Select(name => $"{name}:{request.Headers[name].ToString().Trim()}\n")),
            said["SignedHeaders"],
            request.Headers["x-amz-content-sha256"].ToString());
        var date = request.Headers["x-amz-date"].ToString();
        var text = string.Join('\n', Algorithm, date, string.Join('/', scope[1..]),
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical))));
        var key = scope[1..].Aggregate(Encoding.UTF8.GetBytes($"AWS4{secret}"), (previous, step) =>
            HMACSHA256.HashData(previous, Encoding.UTF8.GetBytes(step)));
        var right = Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));
        return string.Equals(right, said["Signature"], StringComparison.Ordinal)
            && date.StartsWith(scope[1], false, CultureInfo.InvariantCulture) ? scope[0] : null;
    }
}
