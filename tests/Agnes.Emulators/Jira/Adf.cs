using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Agnes.Emulators.Jira;

/// <summary>
/// Documents in Atlassian's format (version 3 of the API has texts so), as HTML (<c>renderedFields</c>) and as wiki text (version 2 of the
/// API and the bodies of webhooks have texts so).
/// </summary>
public static class Adf
{
    public static JsonObject Document(params IEnumerable<JsonObject> blocks) => new()
    {
        ["type"] = "doc",
        ["version"] = 1,
        ["content"] = new JsonArray([.. blocks]),
    };

    /// <summary>One paragraph of plain text.</summary>
    public static JsonObject Document(string text) => Document(Paragraph(Text(text)));

    public static JsonObject Paragraph(params IEnumerable<JsonObject> inlines) => Node("paragraph", inlines);

    public static JsonObject Text(string text) => new() { ["type"] = "text", ["text"] = text };

    public static JsonObject Link(string text, string address) => new()
    {
        ["type"] = "text",
        ["text"] = text,
        ["marks"] = new JsonArray(new JsonObject { ["type"] = "link", ["attrs"] = new JsonObject { ["href"] = address } }),
    };

    public static JsonObject Mention(Person person) => new()
    {
        ["type"] = "mention",
        ["attrs"] = new JsonObject { ["id"] = person.AccountId, ["text"] = $"@{person.DisplayName}", ["accessLevel"] = "" },
    };

    public static JsonObject Emoji(string name, string text) => new()
    {
        ["type"] = "emoji",
        ["attrs"] = new JsonObject { ["shortName"] = $":{name}:", ["id"] = name, ["text"] = text },
    };

    public static JsonObject Break() => new() { ["type"] = "hardBreak" };

    public static JsonObject Code(string text) => new()
    {
        ["type"] = "codeBlock",
        ["attrs"] = new JsonObject { ["language"] = "sql" },
        ["content"] = new JsonArray(Text(text)),
    };

    public static JsonObject List(params IEnumerable<string> points) =>
        Node("bulletList", points.Select(point => Node("listItem", [Paragraph(Text(point))])));

    public static string Html(JsonNode? node)
    {
        var html = new StringBuilder();
        Write(node, html, (part, inner) => Type(part) switch
        {
            "paragraph" => $"<p>{inner}</p>",
            "bulletList" => $"<ul>{inner}</ul>",
            "listItem" => $"<li>{inner}</li>",
            "codeBlock" => $"<pre>{inner}</pre>",
            "hardBreak" => "<br/>",
            "mention" => $"<a class=\"user-hover\">{WebUtility.HtmlEncode(Attribute(part, "text"))}</a>",
            "emoji" => WebUtility.HtmlEncode(Attribute(part, "text")) ?? "",
            "text" when Address(part) is { } address =>
                $"<a href=\"{WebUtility.HtmlEncode(address)}\">{WebUtility.HtmlEncode((string?)part["text"])}</a>",
            "text" => WebUtility.HtmlEncode((string?)part["text"]) ?? "",
            _ => inner,
        });
        return html.ToString();
    }

    public static string Wiki(JsonNode? node)
    {
        var wiki = new StringBuilder();
        Write(node, wiki, (part, inner) => Type(part) switch
        {
            "paragraph" => $"{inner}\n\n",
            "listItem" => $"* {inner.TrimEnd('\n')}\n",
            "bulletList" => $"{inner}\n",
            "codeBlock" => $"{{code:sql}}\n{inner}\n{{code}}\n\n",
            "hardBreak" => "\n",
            "mention" => $"[~accountid:{Attribute(part, "id")}]",
            "emoji" => Attribute(part, "text") ?? "",
            "text" when Address(part) is { } address => $"[{(string?)part["text"]}|{address}]",
            "text" => (string?)part["text"] ?? "",
            _ => inner,
        });
        return wiki.ToString().TrimEnd('\n');
    }

    private static void Write(JsonNode? node, StringBuilder into, Func<JsonNode, string, string> form)
    {
        if (node is null) return;
        var inner = new StringBuilder();
        foreach (var child in node["content"] as JsonArray ?? []) Write(child, inner, form);
        into.Append(form(node, inner.ToString()));
    }

    private static JsonObject Node(string type, IEnumerable<JsonObject> content) => new()
    {
        ["type"] = type,
        ["content"] = new JsonArray([.. content]),
    };

    private static string? Type(JsonNode node) => (string?)node["type"];

    private static string? Attribute(JsonNode node, string name) => (string?)node["attrs"]?[name];

    private static string? Address(JsonNode node) =>
        node["marks"] is JsonArray marks && marks.FirstOrDefault(mark => Type(mark!) == "link") is { } link
            ? Attribute(link, "href") : null;
}
