using System.Text;

namespace Agnes.Server.Features.Demo;

/// <summary>What the demo says when it is ready. Secrets are shown to a person at a terminal only; a log gets the file's path.</summary>
internal static class DemoGreeting
{
    public static Task WriteAsync(DemoContents contents, string path) =>
        Console.Out.WriteLineAsync(Console.IsOutputRedirected ? $"The demo is ready: {path}" : Text(contents, path));

    internal static string Text(DemoContents contents, string path)
    {
        var text = new StringBuilder();
        text.AppendLine().AppendLine($"  The demo is ready: {contents.Url}").AppendLine();
        text.AppendLine($"  admin     {contents.Admin.Email}   password {contents.Admin.Password}");
        text.AppendLine($"            token {contents.Admin.Token}");
        foreach (var analyst in contents.Analysts)
        {
            text.AppendLine($"  {analyst.Groups[0],-9} {analyst.Email}   password {analyst.Password}   sees {string.Join(", ", analyst.Tables)}");
            text.AppendLine($"            token {analyst.Token}");
        }
        text.AppendLine().AppendLine("  As an analyst, in an empty folder:").AppendLine();
        text.AppendLine($"    agnes init --server-url {contents.Url} --token {contents.Analysts[0].Token}");
        text.AppendLine("    agnes catalog");
        text.AppendLine("    agnes query \"select status, count(*) as orders, sum(total_amount) as revenue from orders group by 1 order by 3 desc\"");
        text.AppendLine().AppendLine($"  All of this is in {path}");
        return text.ToString();
    }
}
