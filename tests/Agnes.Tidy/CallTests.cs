namespace Agnes.Tidy;

/// <summary>Who may call what, by what was compiled: a type's name, not a folder, is the exemption.</summary>
public sealed class CallTests
{
    /// <summary>Called members, what to use instead, and the types that may.</summary>
    private static readonly (string[] Calls, string Replacement, string[] Types)[] Rules =
    [
        ([$"{Tasks}.Task`1.get_Result", $"{Tasks}.ValueTask`1.get_Result", $"{Tasks}.Task.Wait", $"{Awaiters}.TaskAwaiter.GetResult", $"{Awaiters}.TaskAwaiter`1.GetResult", $"{Awaiters}.ValueTaskAwaiter`1.GetResult"],
            "await it",
            [
                "Agnes.Server.Program", ".Program", // where the compiler waits for an async Main
                "Agnes.Server.Platform.Access.Enforcement", "Agnes.Server.Features.Profiles.Profiler", // of a completed one, asked for in the line before
            ]),
        (["System.Diagnostics.Process.Start", "System.Diagnostics.ProcessStartInfo..ctor"], "ChildProcess starts the server's children, ChildProgram the command's",
            ["Agnes.Engine.Limits.ChildProcess", "Agnes.Engine.Limits.Walls.WalledStart", "Agnes.Cli.Commands.ChildProgram", "Agnes.Cli.SelfUpgrade.SmokeTest"]),
    ];

    private const string Tasks = "System.Threading.Tasks";
    private const string Awaiters = "System.Runtime.CompilerServices";

    [Fact]
    public void Nothing_is_called_that_has_one_place()
    {
        var calling = Compiled.Uses.Where(use => use.Kind == UseKind.Call).ToLookup(use => use.Used, use => use.Place, StringComparer.Ordinal);
        var wrong =
            from rule in Rules
            let callers = rule.Calls.SelectMany(call => calling[call]).Distinct(StringComparer.Ordinal).ToList()
            from text in callers.Except(rule.Types, StringComparer.Ordinal).Select(caller => $"{caller}: {rule.Replacement}")
                .Concat(rule.Types.Except(callers, StringComparer.Ordinal).Select(type => $"{type} calls none of it any more ({rule.Calls[0]}): take it out of the list"))
            select text;
        wrong.ShouldBeEmpty();
    }

    /// <summary>Only one place turns a published table into SQL; connectors and extracts read files that are not yet one.</summary>
    [Fact]
    public void Files_are_read_as_tables_only_where_named()
    {
        string[] readers =
        [
            "Agnes.Protocol.TableSource", "Agnes.Engine.Extracts.ExtractFile", "Agnes.Engine.Extracts.Statements", "Agnes.Engine.Foreign.ForeignExtracts",
            "Agnes.Engine.Publishing.ForeignAdoption", "Agnes.Engine.Publishing.PlainView", "Agnes.Connectors.Files.ParquetReader",
            "Agnes.Connectors.Keboola.ExportedRows",
        ];
        var found = Compiled.Uses.Where(use => use.Kind == UseKind.Text && use.Used.Contains("read_parquet(", StringComparison.Ordinal)).Select(use => use.Place).Distinct(StringComparer.Ordinal).ToList();
        found.Except(readers, StringComparer.Ordinal).ShouldBeEmpty("TableSource writes read_parquet of a table");
        readers.Except(found, StringComparer.Ordinal).ShouldBeEmpty("reads no more: take it out of the list");
    }
}
