using System.Globalization;

namespace Agnes.Connectors.Keboola;

/// <summary>What is set for a connection to a Keboola project.</summary>
/// <param name="Stack">Address of the stack, without a path.</param>
/// <param name="Token">A Storage token. Goes to the stack and nowhere else.</param>
public sealed record KeboolaSettings(Uri Stack, string Token)
{
    /// <summary>Of the kind of source, and of its connector.</summary>
    public const string Kind = "keboola";

    public const string StackOption = "stack_url";
    public const string TokenOption = "storage_token";

    /// <summary>Hosts that may be in this machine's own network, separated by commas: the operator's word.</summary>
    public const string AllowedHostsOption = "allowed_private_hosts";

    public const string ExportTimeOption = "export_timeout_sec";
    public const string PollOption = "poll_interval_sec";
    public const string SliceTimeOption = "slice_timeout_sec";
    public const string ParallelOption = "parallelism";

    /// <summary>Nobody sets these two but tests, which cannot wait.</summary>
    public const string CallTimeOption = "call_timeout_sec";

    public const string PauseOption = "pause_sec";

    /// <summary>Other addresses of the clouds' stores than their owners': the operator's word.</summary>
    public const string S3Option = "s3_service";

    public const string GcsOption = "gcs_service";

    public const int ExportSecondsDefault = 1800;
    public const int PollSecondsDefault = 2;
    public const int SliceSecondsDefault = 300;
    public const int ParallelDefault = 8;
    public const int ParallelMax = 32;
    private const int CallSecondsDefault = 30;
    private const int SecondsMax = 24 * 3600;

    public IReadOnlyList<string> AllowedPrivateHosts { get; init; } = [];

    /// <summary>How long one export may take at Keboola.</summary>
    public TimeSpan ExportTime { get; init; } = TimeSpan.FromSeconds(ExportSecondsDefault);

    /// <summary>Before it is asked for the second time how an export stands; grows by half each time, up to 10 s.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(PollSecondsDefault);

    /// <summary>A download of which nothing comes for so long is asked for anew.</summary>
    public TimeSpan SliceTime { get; init; } = TimeSpan.FromSeconds(SliceSecondsDefault);

    /// <summary>Tables that are exported beside each other.</summary>
    public int Parallel { get; init; } = ParallelDefault;

    public Uri? S3Service { get; init; }

    public Uri GcsService { get; init; } = new("https://storage.googleapis.com");

    /// <summary>For one call of the API and its answer.</summary>
    public TimeSpan CallTime { get; init; } = TimeSpan.FromSeconds(CallSecondsDefault);

    /// <summary>Tries of a call after the first.</summary>
    public int RetriesMax { get; init; } = 5;

    /// <summary>Before the second try; doubled for each further one, unless the service says how long to wait.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan PauseMax { get; init; } = TimeSpan.FromSeconds(32);

    /// <summary>Without the token.</summary>
    public override string ToString() => Stack.Host;

    /// <exception cref="FormatException">It cannot be so; the message says what to mend.</exception>
    public static KeboolaSettings From(IReadOnlyDictionary<string, string> options)
    {
        string? Given(string name) => options.GetValueOrDefault(name) is { Length: > 0 } value ? value.Trim() : null;
        if (Given(StackOption) is not { } stack || Given(TokenOption) is not { } token)
        {
            throw new FormatException(
                "Keboola's address and Storage token are not set: KBC_STACK_URL and KBC_STORAGE_TOKEN, or the connection's.");
        }

        var allowed = Given(AllowedHostsOption)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [];
        if (StackFault(stack, allowed) is { } fault) throw new FormatException(fault);
        if (token.Any(char.IsControl)) throw new FormatException($"{TokenOption} is no Storage token of Keboola: it holds a line end.");
        var settings = new KeboolaSettings(new Uri(stack.TrimEnd('/')), token)
        {
            AllowedPrivateHosts = allowed,
            ExportTime = Seconds(Given(ExportTimeOption), ExportTimeOption, ExportSecondsDefault),
            Poll = Seconds(Given(PollOption), PollOption, PollSecondsDefault),
            SliceTime = Seconds(Given(SliceTimeOption), SliceTimeOption, SliceSecondsDefault),
            CallTime = Seconds(Given(CallTimeOption), CallTimeOption, CallSecondsDefault),
            Pause = Seconds(Given(PauseOption), PauseOption, 1),
            Parallel = (int)Number(Given(ParallelOption), ParallelOption, ParallelDefault, ParallelMax),
            S3Service = Given(S3Option) is { } s3 ? new Uri(s3) : null,
        };
        return Given(GcsOption) is { } gcs ? settings with { GcsService = new Uri(gcs) } : settings;
    }

    /// <summary>Why a stack cannot be at an address, as far as the address alone tells, or null. The token is not sent in clear.</summary>
    /// <param name="allowedPrivateHosts">Hosts that need no TLS.</param>
    public static string? StackFault(string stack, IReadOnlyList<string> allowedPrivateHosts) =>
        Uri.TryCreate(stack.TrimEnd('/'), UriKind.Absolute, out var address) && address.UserInfo.Length == 0
        && (address.Scheme == Uri.UriSchemeHttps
            || (address.Scheme == Uri.UriSchemeHttp && allowedPrivateHosts.Contains(address.Host, StringComparer.OrdinalIgnoreCase)))
            ? null
            : $"{StackOption} must be an address such as https://connection.example.com";

    private static TimeSpan Seconds(string? text, string name, int otherwise) =>
        TimeSpan.FromSeconds(Number(text, name, otherwise, SecondsMax));

    /// <summary>A part of a second is taken too, for trying out.</summary>
    private static double Number(string? text, string name, double otherwise, double max) =>
        text is null ? otherwise
        : double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number > 0 && number <= max
            ? number
            : throw new FormatException($"{name} must be a number above 0, up to {max}");
}
