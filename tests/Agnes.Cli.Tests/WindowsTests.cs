using System.Text;
using Agnes.Cli.Settings;

namespace Agnes.Cli.Tests;

/// <summary>What is different on Windows, as far as it can be tried elsewhere: marks before texts, files that are in use.</summary>
public sealed class WindowsTests
{
    public static TheoryData<string> Marked => ["utf-8", "utf-16", "utf-16BE"];

    [Theory]
    [MemberData(nameof(Marked))]
    public async Task A_text_with_a_mark_is_read_without_it(string encoding)
    {
        var form = Encoding.GetEncoding(encoding);
        using var stream = new MemoryStream([.. form.GetPreamble(), .. form.GetBytes("žluť 🐎")]);
        using var reader = Terminal.Read(stream);
        (await reader.ReadToEndAsync(TestContext.Current.CancellationToken)).ShouldBe("žluť 🐎");
    }

    [Fact]
    public async Task A_token_file_that_an_editor_marked_is_read_and_written_without_the_mark()
    {
        using var folder = new Testing.TemporaryFolder();
        var config = new ConfigFolder(folder.Path);
        File.WriteAllText(config.TokenFile, """{"access_token":"abc","email":"a@example.com"}""", new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
        var token = StoredToken.Read(config).ShouldNotBeNull();
        token.ShouldBe(new StoredToken("abc", "a@example.com", Server: null));
        await token.WriteAsync(config, TestContext.Current.CancellationToken);
        File.ReadAllBytes(config.TokenFile)[0].ShouldBe((byte)'{');
        var settings = Path.Combine(folder.Path, "config.yaml");
        File.WriteAllText(settings, "server: http://a\r\n# mine\r\n", new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
        await ConfigFile.SetAsync(settings, "server", "http://b", TestContext.Current.CancellationToken);
        File.ReadAllText(settings).ShouldBe("server: http://b\r\n# mine\r\n");
    }

    [Fact]
    public async Task A_file_that_is_being_read_is_replaced_and_its_reader_keeps_the_old_one()
    {
        using var folder = new Testing.TemporaryFolder();
        var path = folder["state.json"];
        await AtomicFile.WriteTextAsync(path, "old", TestContext.Current.CancellationToken);
        // Windows lets a file be replaced only where its readers share deletion, which .NET's own do not by default: hence the retries.
        using var open = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        await AtomicFile.WriteTextAsync(path, "new", TestContext.Current.CancellationToken);
        using var reader = new StreamReader(open);
        (await reader.ReadToEndAsync(TestContext.Current.CancellationToken)).ShouldBe("old");
        File.ReadAllText(path).ShouldBe("new");
        Directory.GetFiles(folder.Path).ShouldBe([path]);
    }
}
