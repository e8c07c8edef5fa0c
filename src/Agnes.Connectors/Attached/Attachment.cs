using System.Text.RegularExpressions;
using Agnes.Connectors.BigQuery;
using Agnes.Protocol;

namespace Agnes.Connectors.Attached;

/// <summary>A row of <c>_remote_attach</c>: what the views of another program's extract need, written by that program and trusted in nothing.</summary>
/// <param name="Alias">What the views call it.</param>
/// <param name="Extension">Of the engine.</param>
/// <param name="TokenEnv">The variable that holds the token; empty: the extension needs none.</param>
internal sealed record Attachment(string Alias, string Extension, string Url, string TokenEnv);

/// <summary>What extracts may have attached, as whoever runs the server allows it.</summary>
/// <param name="Tokens">By the variable that may be named; those that are not set have no value.</param>
/// <param name="Urls">The only destinations: else an extract could send a token to an address of its own.</param>
internal sealed partial record AttachPolicy(
    IReadOnlyList<string> Extensions, IReadOnlyDictionary<string, string?> Tokens, IReadOnlyList<string> Urls)
{
    /// <summary>Storage of the engine itself, which needs nothing loaded.</summary>
    public const string OwnStorage = "duckdb";

    /// <summary>Why it is not attached, in a sentence that says what to do; null: it may be.</summary>
    public string? Refusal(Attachment asked)
    {
        if (!Identifiers.IsSource(asked.Alias) || asked.Alias == AttachedDatabase.Catalog)
            return "its alias is no name of letters, digits and underscores, or one that is taken";
        if (!Identifiers.IsStrict(asked.Extension) || !Extensions.Contains(asked.Extension, StringComparer.Ordinal))
            return "its extension is not allowed; whoever runs the server allows some by AGNES_REMOTE_ATTACH_EXTENSIONS";
        if (asked.Extension == BigQuerySettings.Kind) return "BigQuery is asked without an extension: register the table with source_type bigquery";
        if (asked.TokenEnv.Length > 0 && (!Variable().IsMatch(asked.TokenEnv) || !Tokens.ContainsKey(asked.TokenEnv)))
            return "the variable of its token is not allowed; whoever runs the server allows some by AGNES_REMOTE_ATTACH_TOKEN_ENVS";
        if (asked.TokenEnv.Length > 0 && Tokens[asked.TokenEnv] is null) return $"{asked.TokenEnv} is not set for the server";
        return Urls.Any(url => IsSame(url, asked.Url)) ? null : "its address is none that AGNES_REMOTE_ATTACH_URLS names";
    }

    /// <summary>Of an attachment that is not refused. Holds its token.</summary>
    public string Statement(Attachment asked)
    {
        var options = asked.TokenEnv.Length > 0 ? $"TOKEN {SqlText.Literal(Tokens[asked.TokenEnv]!)}" : "READ_ONLY";
        return $"ATTACH {SqlText.Literal(asked.Url)} AS {SqlText.Identifier(asked.Alias)} (TYPE {SqlText.Literal(asked.Extension)}, {options})";
    }

    private static bool IsSame(string one, string other) => string.Equals(one.TrimEnd('/'), other.TrimEnd('/'), StringComparison.Ordinal);

    /// <summary>As the contract has it.</summary>
    [GeneratedRegex(@"\A[A-Z][A-Z0-9_]{0,63}\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Variable();
}
