using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Connectors.Jira;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary>The JSON files of issues, which the folding process writes: what is known of them. Only read here.</summary>
/// <param name="root">The folder of the source.</param>
internal sealed class IssueFiles(string root)
{
    private static readonly JsonDocumentOptions Parsing = new() { AllowDuplicateProperties = true, MaxDepth = 128 };
    private readonly string _folder = Path.Combine(root, "raw", "issues");

    /// <summary>The keys of all that are known, deleted ones too, in no order.</summary>
    public IEnumerable<string> Keys() => !Directory.Exists(_folder)
        ? []
        : Directory.EnumerateFiles(_folder, "*.json").Select(path => Path.GetFileNameWithoutExtension(path)).Where(JiraKey.IsKey);

    /// <summary>Whether the API answered for it once, with all that belongs to it. One that is deleted is not asked for again.</summary>
    public bool IsFetched(string key) => Find(key) is { } issue && (issue["_remote_links"] is not null || issue["_deleted_at"] is not null);

    /// <summary>Whether there is such an issue, and nobody asked for its links to other systems, or Jira did not tell.</summary>
    public bool IsWithoutLinks(string key) => Find(key) is { } issue && issue["_remote_links"] is null && issue["_deleted_at"] is null;

    /// <returns>Null: nothing is known of it.</returns>
    public JsonObject? Find(string key)
    {
        if (!JiraKey.IsKey(key)) return null;
        try
        {
            return JsonNode.Parse(File.ReadAllBytes(Path.Combine(_folder, key + ".json")), documentOptions: Parsing) as JsonObject;
        }
        catch (Exception fault) when (fault is IOException or JsonException)
        {
            return null; // there is none, or it is none of ours
        }
    }
}
