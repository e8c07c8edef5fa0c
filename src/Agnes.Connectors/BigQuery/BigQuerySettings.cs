using System.Globalization;
using System.Text.RegularExpressions;

namespace Agnes.Connectors.BigQuery;

/// <summary>What is set for a connection that is asked.</summary>
/// <param name="Connection">Where it leads.</param>
/// <param name="ScanBytesMax">What one question may read; null: as much as it likes.</param>
/// <param name="TimeMax">After which BigQuery itself ends a job.</param>
public sealed partial record BigQuerySettings(BigQueryConnection Connection, long? ScanBytesMax, TimeSpan TimeMax)
{
    /// <summary>Of the kind of source.</summary>
    public const string Kind = "bigquery";

    public const long ScanBytesDefault = 5L << 30;
    public const int MillisecondsDefault = 600_000;
    private const int MillisecondsMax = 6 * 3_600_000; // BigQuery's own

    /// <summary>Another address than Google's: the operator's word, never an admin's.</summary>
    public const string ServiceOption = "service";

    public const string TokenServiceOption = "token_service";
    public const string MetadataServiceOption = "metadata_service";

    /// <returns>What is wrong, or null.</returns>
    public static string? Fault(IReadOnlyDictionary<string, string> options)
    {
        try
        {
            From("", options);
            return null;
        }
        catch (FormatException fault)
        {
            return fault.Message;
        }
    }

    /// <exception cref="FormatException">It cannot be so.</exception>
    public static BigQuerySettings From(string name, IReadOnlyDictionary<string, string> options)
    {
        string? Given(string option) => options.GetValueOrDefault(option) is { Length: > 0 } value ? value : null;
        Uri Address(string option, Uri otherwise) => Given(option) is { } text ? new Uri(text) : otherwise;
        var data = ProjectOf(Given("project"), "project") ?? "";
        var connection = new BigQueryConnection(name, ProjectOf(Given("billing_project"), "billing_project") ?? data, data)
        {
            KeyJson = Given("key"),
            Location = Given("location") is not { } location || LocationShape().IsMatch(location) ? Given("location")
                : throw new FormatException("location must be one such as EU or europe-west1"),
        };
        var scan = Number(Given("bq_max_scan_bytes"), "bq_max_scan_bytes", ScanBytesDefault, long.MaxValue);
        var millis = Number(Given("query_timeout_ms"), "query_timeout_ms", MillisecondsDefault, MillisecondsMax);
        return new BigQuerySettings(
            connection with
            {
                Service = Address(ServiceOption, connection.Service),
                TokenService = Address(TokenServiceOption, connection.TokenService),
                MetadataService = Address(MetadataServiceOption, connection.MetadataService),
            },
            scan == 0 ? null : scan,
            TimeSpan.FromMilliseconds(millis == 0 ? MillisecondsDefault : millis));
    }

    /// <summary>Whether a project can be called so.</summary>
    public static bool IsProject(string project) => ProjectShape().IsMatch(project);

    private static string? ProjectOf(string? given, string name) => given is null || IsProject(given) ? given
        : throw new FormatException($"{name} is no project id: lower-case letters, digits and hyphens, 6 to 30");

    private static long Number(string? text, string name, long otherwise, long max) =>
        text is null ? otherwise
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= max ? number
        : throw new FormatException($"{name} must be a number from 0 to {max}");

    [GeneratedRegex(@"\A[a-z][a-z0-9-]{4,28}[a-z0-9]\z", RegexOptions.CultureInvariant)]
    private static partial Regex ProjectShape();

    [GeneratedRegex(@"\A[A-Za-z0-9-]{1,40}\z", RegexOptions.CultureInvariant)]
    private static partial Regex LocationShape();
}
