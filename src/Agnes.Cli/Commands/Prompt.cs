using System.Text;
using Agnes.Cli.Settings;

namespace Agnes.Cli.Commands;

/// <summary>Questions on the terminal; answers are read from the standard input where there is none.</summary>
internal static class Prompt
{
    public static string? Line(Host host, string question)
    {
        host.Error.Write(question);
        var answer = Terminal.In.ReadLine();
        if (Console.IsInputRedirected) host.Error.WriteLine();
        return answer;
    }

    /// <summary>Typed without being shown.</summary>
    public static string? Hidden(Host host, string question)
    {
        if (Console.IsInputRedirected) return Line(host, question);
        host.Error.Write(question);
        var typed = new StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key == ConsoleKey.Backspace) typed.Length = Math.Max(0, typed.Length - 1);
            else if (!char.IsControl(key.KeyChar)) typed.Append(key.KeyChar);
        }

        host.Error.WriteLine();
        return typed.ToString();
    }

    /// <summary>Without a terminal nobody can answer, which counts as no.</summary>
    public static bool Confirm(Host host, string question)
    {
        var answer = Line(host, $"{question} [y/N] ");
        return answer?.Trim().ToLowerInvariant() is "y" or "yes";
    }
}
