using System.Text;

namespace Agnes.Cli.Settings;

/// <summary>Text in and out is UTF-8 on every system, whatever its console is set to.</summary>
internal static class Terminal
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);
    private static readonly Lazy<TextReader> Redirected = new(() => Read(Console.OpenStandardInput()));

    /// <summary>What is typed, or comes from a file or another program.</summary>
    public static TextReader In => Console.IsInputRedirected ? Redirected.Value : Console.In;

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
}
