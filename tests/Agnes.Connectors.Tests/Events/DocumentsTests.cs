using System.Text.Json.Nodes;
using Agnes.Connectors.Events;
using Agnes.Testing;

namespace Agnes.Connectors.Tests.Events;

public sealed class DocumentsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_put_is_found_by_the_next_batch_and_what_is_not_changed_is_not_written()
    {
        var documents = new Documents(_folder.Path);
        documents.Find("A-1").ShouldBeNull();
        documents.Put("A-1", new JsonObject { ["text"] = "ä \"quoted\"" }, ["2026-01"], isChanged: true);
        documents.Put("A-2", new JsonObject { ["text"] = "kept in memory" }, ["2026-02"], isChanged: false);
        documents.Changed.Keys.ShouldBe(["A-1", "A-2"]);
        documents.Save();
        documents.Changed.ShouldBeEmpty();
        documents.Find("A-1")!["text"]!.GetValue<string>().ShouldBe("ä \"quoted\"");
        documents.Find("A-2").ShouldBeNull();
        File.ReadAllText(_folder["A-1.json"]).ShouldContain("\"ä \\\"quoted\\\"\"");
        Directory.GetFiles(_folder.Path).ShouldBe([_folder["A-1.json"]]);
    }

    /// <summary>A shorter one leaves nothing of a longer one, and one that a kill cut off counts for nothing.</summary>
    [Fact]
    public void A_document_is_replaced_whole_and_a_torn_one_is_begun_anew()
    {
        var documents = new Documents(_folder.Path);
        documents.Put("A-1", new JsonObject { ["text"] = new string('x', 200_000) }, [], isChanged: true);
        documents.Save();
        var known = documents.Find("A-1")!;
        known["text"] = "short";
        documents.Put("A-1", known, [], isChanged: true);
        documents.Save();
        JsonNode.Parse(File.ReadAllText(_folder["A-1.json"]))!["text"]!.GetValue<string>().ShouldBe("short");

        var text = File.ReadAllText(_folder["A-1.json"]);
        File.WriteAllText(_folder["A-1.json"], text[..(text.Length / 2)]);
        var again = new Documents(_folder.Path);
        again.Find("A-1").ShouldBeNull();
        again.Put("A-1", new JsonObject { ["text"] = "anew" }, [], isChanged: true);
        again.Save();
        again.Find("A-1")!["text"]!.GetValue<string>().ShouldBe("anew");
    }
}
