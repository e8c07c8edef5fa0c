using System.Globalization;
using Agnes.Cli.Settings;

namespace Agnes.Cli.Commands;

/// <summary>Completion for the four shells: a small script each, which asks this program what may come next.</summary>
internal static class CompletionScripts
{
    /// <summary>What the scripts call: position of the cursor, and the line so far.</summary>
    public const string Request = "__complete";

    public const string Show = "--show-completion";
    public const string Install = "--install-completion";

    private static readonly string[] Shells = ["bash", "zsh", "fish", "powershell"];

    /// <returns>The exit code, or null: the command line is another one.</returns>
    public static async Task<int?> TryRunAsync(Host host, string[] args, Func<string, int, IEnumerable<string>> complete, CancellationToken cancellation)
    {
        switch (args)
        {
            case [Request, var position, var line] when int.TryParse(position, NumberStyles.None, CultureInfo.InvariantCulture, out var at):
                // PowerShell leaves out the spaces at the end, and counts them: a new word begins there.
                foreach (var word in complete(at > line.Length ? line + " " : line, Math.Min(at, line.Length + 1))) host.Out.WriteLine(word);
                return ExitCode.Ok;
            case [Show, ..]:
                host.Out.Write(Script(Shell(args)));
                return ExitCode.Ok;
            case [Install, ..]:
                var shell = Shell(args);
                var (path, next) = Place(shell);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                await AtomicFile.WriteTextAsync(path, Script(shell), cancellation);
                host.Out.WriteLine($"Written: {path}");
                host.Out.WriteLine(next);
                return ExitCode.Ok;
            default:
                return null;
        }
    }

    private static string Shell(string[] args)
    {
        var asked = args.Length > 1 ? args[1] : Path.GetFileName(Environment.GetEnvironmentVariable("SHELL")) is { Length: > 0 } own ? own : OperatingSystem.IsWindows() ? "powershell" : "bash";
        var shell = asked == "pwsh" ? "powershell" : asked;
        return Shells.Contains(shell, StringComparer.Ordinal) ? shell : throw new CliException($"There is no completion for '{asked}'.", ExitCode.Usage) { Hint = $"Known: {string.Join(", ", Shells)}. Example: agnes {Show} bash" };
    }

    private static (string Path, string Next) Place(string shell)
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        return shell switch
        {
            "bash" => (Path.Combine(home, ".local", "share", "bash-completion", "completions", "agnes"), "New shells complete 'agnes' (with the package bash-completion; without it, source the file in ~/.bashrc)."),
            "zsh" => (Path.Combine(home, ".local", "share", "zsh", "site-functions", "_agnes"), "Put before compinit in ~/.zshrc: fpath=(~/.local/share/zsh/site-functions $fpath)"),
            "fish" => (Path.Combine(home, ".config", "fish", "completions", "agnes.fish"), "New shells complete 'agnes'."),
            _ => (Path.Combine(home, ".config", "powershell", "agnes-completion.ps1"), "Put into your $PROFILE: . ~/.config/powershell/agnes-completion.ps1"),
        };
    }

    private static string Script(string shell) => shell switch
    {
        "bash" => $$"""
            _agnes_complete() {
                local IFS=$'\n'
                COMPREPLY=( $(compgen -W "$(agnes {{Request}} "$COMP_POINT" "$COMP_LINE" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}") )
            }
            complete -o default -F _agnes_complete agnes

            """,
        "zsh" => $$"""
            #compdef agnes
            _agnes() {
                local -a found
                found=("${(@f)$(agnes {{Request}} "$CURSOR" "$BUFFER" 2>/dev/null)}")
                if [[ -n "$found[1]" ]]; then compadd -- "${found[@]}"; else _files; fi
            }
            if [[ "$funcstack[1]" = _agnes ]]; then _agnes "$@"; else compdef _agnes agnes; fi

            """,
        "fish" => $"""
            complete -c agnes -a '(agnes {Request} (string length -- (commandline -cp)) (commandline -cp) 2>/dev/null)'

            """,
        _ => $$"""
            Register-ArgumentCompleter -Native -CommandName agnes -ScriptBlock {
                param($word, $line, $position)
                agnes {{Request}} $position "$line" 2>$null | Where-Object { $_ -like "$word*" } | ForEach-Object {
                    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
                }
            }

            """,
    };
}
