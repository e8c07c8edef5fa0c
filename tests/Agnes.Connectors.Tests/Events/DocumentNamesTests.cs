using Agnes.Connectors.Events;
using Agnes.Testing;

namespace Agnes.Connectors.Tests.Events;

public sealed class DocumentNamesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_last_that_was_said_of_a_name_counts_and_other_names_are_others()
    {
        var names = Opened();
        names.Find("1001").ShouldBeNull();
        names.Set("1001", "SUP-1");
        names.Set("11001", "SUP-2"); // in the same file, and the other's name is its end
        names.Set("01", "SUP-3");
        names.Find("1001").ShouldBe("SUP-1");
        names.Save();
        names.Set("1001", "OPS-9");
        names.Save();

        var again = Opened();
        ((string?[])[again.Find("1001"), again.Find("11001"), again.Find("01"), again.Find("1"), again.Find("001")]).ShouldBe(["OPS-9", "SUP-2", "SUP-3", null, null]);
        Directory.GetFiles(_folder["names"]).Length.ShouldBe(2);
    }

    [Fact]
    public void A_line_that_a_kill_cut_off_is_not_there_and_is_written_over()
    {
        var names = Opened();
        names.Set("1001", "SUP-1");
        names.Save();
        File.AppendAllText(_folder["names/001"], "2001 SUP-12345678"); // of SUP-123456789
        var again = Opened();
        again.Find("2001").ShouldBeNull();
        again.Set("2001", "SUP-7");
        again.Save();
        File.ReadAllText(_folder["names/001"]).ShouldBe("1001 SUP-1\n2001 SUP-7\n");
    }

    private DocumentNames Opened() => new(_folder["names"]);
}
