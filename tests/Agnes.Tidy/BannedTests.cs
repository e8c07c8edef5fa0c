using System.Text.RegularExpressions;

namespace Agnes.Tidy;

/// <summary>What our sources must not contain, each with the replacement to use.</summary>
public sealed partial class BannedTests
{
    private static readonly (Regex Pattern, string Replacement, string[] AllowedIn)[] Rules =
    [
        (Blocking(), "await it", []),
        (WallClock(), "take a TimeProvider", []),
        (ThreadSleep(), "await Task.Delay with a token", []),
        (EmptyCatch(), "say in the handler why nothing is to be done, or let it rise", []),
        (Connecting(), "connections are OutboundGuard's, HTTP clients OutboundClients'", ["src/Agnes.Cli/Api/", "src/Agnes.Engine/Outbound/OutboundGuard.cs",
                "src/Agnes.Connectors/BigQuery/BigQueryHttp.cs", "src/Agnes.Connectors/Keboola/KeboolaHttp.cs",
                    "src/Agnes.Server/Platform/Http/OutboundClients.cs", "src/Agnes.Server/Features/SignIn/Mail/Smtp.cs",
                "src/Agnes.Engine/Limits/Walls/SyscallFilter.cs", "src/Agnes.Engine/Limits/Walls/SyscallList.cs"]),
        (ConnectingToState(), "only the state's database and what brokers ask are spoken to by another way",
            ["src/Agnes.Server/Platform/State/Engines/PostgresStore.cs", "src/Agnes.Connectors/Postgres/PostgresSession.cs"]),
        (PeersAddress(), "context.Client() says where a request comes from, and nothing is granted for it",
            ["src/Agnes.Server/Platform/Http/ClientAddress.cs", "src/Agnes.Server/Platform/Http/Connections.cs"]),
        (RequestCookie(), "OwnCookie reads cookies that decide more than colours: it refuses two of one name, and what another host planted", ["src/Agnes.Server/Platform/Access/OwnCookie.cs", "src/Agnes.Server/Web/Shell.razor"]),
        (MadeLease(), "a request's lease is context.Lease(): it ends with the asker's access; work that nobody asked for is named here",
            ["src/Agnes.Engine/Query/Lease.cs", "src/Agnes.Server/Platform/Access/Leases.cs", "src/Agnes.Server/Features/Profiles/Profiler.cs",
                "src/Agnes.Server/Features/Metrics/MetricCheck.cs", "src/Agnes.Server/Features/Sources/Jira/IssueRows.cs",
                "src/Agnes.Server/Platform/Publications/TableQueries.cs"]),
        (KindOfSource(), "ask the table's SourceKind; what is one kind's own stands in its folder",
            ["src/Agnes.Server/Features/Sources/", "src/Agnes.Cli/", "src/Agnes.Protocol/",
                "src/Agnes.Connectors/BigQuery/BigQuerySettings.cs",
                "src/Agnes.Connectors/Keboola/KeboolaSettings.cs"]),
        (Vague(), "name it by what it does", []),
    ];

    [Fact]
    public void Sources_hold_nothing_banned()
    {
        var found =
            from file in Repository.Sources("src", ".cs", ".razor")
            from rule in Rules
            where !rule.AllowedIn.Any(allowed => file.Path.StartsWith(allowed, StringComparison.Ordinal))
            from line in file.Lines.Select((text, index) => (text, index))
            where rule.Pattern.IsMatch(CommentFree(line.text))
            select $"{file.Path}:{line.index + 1}: {line.text.Trim()}  →  {rule.Replacement}";
        found.ShouldBeEmpty();
    }

    [Fact]
    public void Unfinished_work_is_not_committed()
    {
        var found =
            from folder in (string[])["src", "tests", "bench"]
            where Directory.Exists(Path.Combine(Repository.Root, folder))
            from file in Repository.Sources(folder, ".cs", ".razor", ".js", ".css", ".sql")
            where !file.Path.EndsWith("/BannedTests.cs", StringComparison.Ordinal)
            from line in file.Lines.Select((text, index) => (text, index))
            where Unfinished().IsMatch(line.text)
            select $"{file.Path}:{line.index + 1}: {line.text.Trim()}";
        found.ShouldBeEmpty();
    }

    internal static bool OpensConnection(string line) => Connecting().IsMatch(CommentFree(line)) || ConnectingToState().IsMatch(CommentFree(line));

    private static string CommentFree(string line)
    {
        var comment = line.IndexOf("//", StringComparison.Ordinal);
        return comment < 0 || line.Contains("://", StringComparison.Ordinal) ? line : line[..comment];
    }

    [GeneratedRegex(@"(?<!\b(?:result|entry|job|run|pending))\.Result\b|\.Wait\(\)|GetAwaiter\(\)\.GetResult\(\)", RegexOptions.IgnoreCase)]
    private static partial Regex Blocking();

    [GeneratedRegex(@"\bDateTime(Offset)?\.(Utc)?Now\b")]
    private static partial Regex WallClock();

    [GeneratedRegex(@"\bThread\.Sleep\b")]
    private static partial Regex ThreadSleep();

    [GeneratedRegex(@"\bcatch\s*(\([^)]*\))?\s*\{\s*\}")]
    private static partial Regex EmptyCatch();

    /// <summary>By type, since <c>new()</c> hides it; the server's own name is no question to anybody.</summary>
    [GeneratedRegex(@"\b(TcpClient|UdpClient|Socket|NetworkStream|SocketsHttpHandler|HttpClientHandler|WinHttpHandler|SmtpClient|ClientWebSocket|QuicConnection|Ping)\b(?!\.|Exception|Error)|new (HttpClient|HttpMessageInvoker)\b|HttpClient\w* \w+ = new\(|\bAddHttpClient\(|\bDns\.(?!GetHostName\(\))|\bWebRequest\.")]
    private static partial Regex Connecting();

    [GeneratedRegex(@"\bNpgsqlDataSource(Builder)?\b|new NpgsqlConnection\b")]
    private static partial Regex ConnectingToState();

    [GeneratedRegex(@"\b(Remote|Local)(IpAddress|EndPoint)\b|\bConnection\.(Remote|Local)Port\b|IHttpConnectionFeature", RegexOptions.ExplicitCapture)]
    private static partial Regex PeersAddress();

    [GeneratedRegex(@"\bRequest\.Cookies\b|\bHeaders(\.Cookie\b|\[""Cookie""\])|IRequestCookie", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex RequestCookie();

    [GeneratedRegex(@"\bnew (Request)?Lease\b|\bLease\.OfSystem\(|\bLease \w+ = new\(")]
    private static partial Regex MadeLease();

    [GeneratedRegex("\"(keboola|bigquery|jira)\"")]
    private static partial Regex KindOfSource();

    [GeneratedRegex(@"\b(class|record|struct)\s+\w*(Manager|Helper|Helpers|Util|Utils|Utility)\b")]
    private static partial Regex Vague();

    [GeneratedRegex(@"NotImplementedException|\bTODO\b|\bFIXME\b|\bHACK\b|\bXXX\b")]
    private static partial Regex Unfinished();
}
