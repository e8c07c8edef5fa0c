using System.Runtime.InteropServices;
using System.Text;

namespace Agnes.Cli.Settings;

/// <summary>Text in and out is UTF-8 on every system, whatever its console is set to.</summary>
internal static partial class Terminal
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);
    private static readonly string[] OfAgents = ["CLAUDECODE", "CLAUDE_CODE_SESSION_ID"];
    private static readonly Lazy<TextReader> Redirected = new(() => Read(Console.OpenStandardInput()));

    /// <summary>What is typed, or comes from a file or another program.</summary>
    public static TextReader In => Console.IsInputRedirected ? Redirected.Value : Console.In;

    /// <summary>
    /// Whether a person typed the command, as far as it can be told: the standard input is the very terminal that this process belongs to, in whose foreground it
    /// runs, and it is not inside an agent's session, which marks what it starts. Any terminal will not do: <c>/dev/ptmx</c> makes one for whoever opens it.
    /// </summary>
    public static bool IsOfAPerson =>
        !Console.IsInputRedirected && Array.TrueForAll(OfAgents, name => string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name)))
        && (OperatingSystem.IsWindows() || (ForegroundOf(descriptor: 0) is > 0 and var foreground && foreground == OwnGroup()));

    /// <summary>PowerShell and Windows' editors put a mark before a text; it is no part of it.</summary>
    public static TextReader Read(Stream stream) => new StreamReader(stream, Utf8, detectEncodingFromByteOrderMarks: true);

    /// <summary>A Windows console shows bytes in a code page of its own until it is told otherwise. Elsewhere there is nothing to do.</summary>
    public static void UseUtf8()
    {
        if (!OperatingSystem.IsWindows() || (Console.IsOutputRedirected && Console.IsErrorRedirected)) return;
        try
        {
            Console.OutputEncoding = Utf8;
            if (!Console.IsInputRedirected) Console.InputEncoding = Utf8;
        }
        catch (IOException)
        {
            // A program without a console has nothing to set.
            return;
        }
    }

    /// <summary>An error where it is not the terminal of this process's session.</summary>
    [LibraryImport("libc", EntryPoint = "tcgetpgrp")]
    private static partial int ForegroundOf(int descriptor);

    [LibraryImport("libc", EntryPoint = "getpgrp")]
    private static partial int OwnGroup();
}
