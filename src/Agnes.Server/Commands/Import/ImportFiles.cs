using System.Text.Json.Nodes;
using Agnes.Engine.Extracts;
using Agnes.Engine.Foreign;
using Agnes.Engine.Limits;
using Agnes.Engine.Workers;
using Agnes.Protocol;
using Agnes.Server.Features.Configuration;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Commands.Import;

/// <summary>What of another installation is no row: its signing keys, stored secrets, configuration and extracts. Each is left where this server has its own.</summary>
internal sealed class ImportFiles(Installation from, ServerOptions options, ImportReport report, string home, bool dryRun)
{
    private const string ExtractName = "extract.duckdb";
    private const int SecretCharsMin = 32;
    private const int SecretBytesMax = 4_096;
    private const string EveryoneKey = "everyone_membership";

    /// <summary>Without <c>.jwt_secret</c>, no token and no session of the other installation is good here.</summary>
    public async Task TakeSecretsAsync(CancellationToken stop)
    {
        foreach (var (name, variable, loss) in ((string, string, string)[])[(".jwt_secret", "JWT_SECRET_KEY", "its tokens and sessions are not accepted here"), (".session_secret", "SESSION_SECRET", "sign-ins that are under way start over")])
        {
            var source = Path.Combine(from.StateDir, name);
            if (options.Variables(variable) is { Length: > 0 }) report.Leave("keys", name, $"{variable} is set in the environment and wins");
            else if (!Installation.IsPlain(source) || new FileInfo(source).Length > SecretBytesMax) report.Leave("keys", name, $"it is not there, no plain file, or cannot be read: unless {variable} was set in its environment, {loss}");
            else await TakeSecretAsync(name, loss, (await File.ReadAllTextAsync(source, stop)).Trim(), stop);
        }
    }

    public async Task TakeConfigurationAsync(SecretStore secrets, TimeProvider time, CancellationToken stop)
    {
        await TakeStoredSecretsAsync(secrets, stop);
        var theirs = Read(Path.Combine(from.StateDir, InstanceConfig.FileName));
        if (from.ConfigFile is { } file && Read(file) is { } below) theirs = InstanceConfig.Merge(below, theirs ?? []);
        theirs ??= [];
        options.Settings.LeaveOut(theirs, fault => report.Leave("configuration", from.StateDir, fault));

        // Whoever became a user there after schema 13 is in no group. It stays so, or the import would show them what Everyone was granted.
        if (theirs["auth"] is not JsonObject auth) theirs["auth"] = auth = [];
        auth.TryAdd(EveryoneKey, "explicit");
        var ours = Ours();
        var merged = InstanceConfig.Merge(theirs, ours);
        if (merged["auth"] is not JsonObject) merged["auth"] = theirs["auth"]!.DeepClone();
        if (JsonNode.DeepEquals(merged, ours)) report.Find("configuration");
        else
        {
            if (!dryRun) await Overlay.WriteAsync(options, time, merged, stop);
            foreach (var (section, _) in merged.Where(pair => !JsonNode.DeepEquals(pair.Value, ours[pair.Key]))) report.Take($"configuration section {section}");
        }
    }

    /// <summary>The extract's file comes last: until then, nothing would take up the folder.</summary>
    public async Task TakeExtractsAsync(CancellationToken stop)
    {
        if (!Directory.Exists(from.Extracts) || new DirectoryInfo(from.Extracts).LinkTarget is not null)
        {
            report.Leave("extracts", from.Extracts, "there is no such folder, or it is a symbolic link");
            return;
        }

        var target = new Agnes.Engine.Parts.DataFolder(options.DataDir);
        if (Path.GetFullPath(target.Extracts) == Path.GetFullPath(from.Extracts))
        {
            report.Find("extracts folder");
            return;
        }

        foreach (var folder in new DirectoryInfo(from.Extracts).EnumerateDirectories().OrderBy(folder => folder.Name, StringComparer.Ordinal))
        {
            if (folder.LinkTarget is not null) report.Leave("extracts", folder.Name, "a symbolic link");
            else if (!Identifiers.IsSource(folder.Name)) report.Leave("extracts", folder.Name, "not a name that a source can have here");
            else await TakeExtractAsync(folder.FullName, target.Source(folder.Name), folder.Name, stop);
        }
    }

    private async Task TakeExtractAsync(string source, string target, string name, CancellationToken stop)
    {
        var files = ForeignFiles.Plain(source, link => report.Leave("extract files", $"{name}/{link}", "a symbolic link"))
            .Where(file => file != $"{ExtractName}.wal").OrderBy(file => file == ExtractName).ToList();
        var missing = new List<string>();
        foreach (var file in files)
        {
            if (IsTheSame(Path.Combine(source, file), Path.Combine(target, file))) report.Find("extract files");
            else if (File.Exists(Path.Combine(target, file))) report.Leave("extract files", $"{name}/{file}", "another file is there under the name");
            else missing.Add(file);
        }

        if (missing.Count == 0) return;
        report.Take("extract files", missing.Count);
        if (dryRun) return;
        Directory.CreateDirectory(target);
        Scratch.EnsureFree(target, missing.Sum(file => new FileInfo(Path.Combine(source, file)).Length));
        foreach (var file in missing)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(target, file))!);
            if (file == ExtractName) await TakeViewsAsync(Path.Combine(source, file), target, name, stop);
            else if (!await ForeignFiles.TryCopyAsync(Path.Combine(source, file), Path.Combine(target, file), stop)) report.Leave("extract files", $"{name}/{file}", "no plain file, or it cannot be read");
        }
    }

    /// <summary>The list of an extract's tables, with its views pointed at the files as they lie here.</summary>
    private async Task TakeViewsAsync(string source, string target, string name, CancellationToken stop)
    {
        var draft = Path.Combine(Directory.CreateDirectory(Path.Combine(home, $"extract-{name}")).FullName, ExtractName);
        if (!await ForeignFiles.TryCopyAsync(source, draft, stop))
        {
            report.Leave("extract files", $"{name}/{ExtractName}", "no plain file, or it cannot be read");
            return;
        }

        var changed = File.GetLastWriteTimeUtc(draft);
        await ForeignFiles.TryCopyAsync($"{source}.wal", $"{draft}.wal", stop);
        try
        {
            var data = Directory.CreateDirectory(Path.Combine(target, "data")).FullName;
            var share = Budget.FromTotal(Budget.TotalBytesMin, Environment.ProcessorCount).Jobs;
            foreach (var view in await ForeignExtracts.RelocateAsync(ChildWalls.ProgramOf(options), home, share, draft, data, stop)) report.Leave("views", $"{name}/{view}", "it does not show whole files of its own folder: it works once its source has synced here");
            File.SetLastWriteTimeUtc(draft, changed);
            FileSystem.Replace(draft, Path.Combine(target, ExtractName));
        }
        catch (WorkerFailedException failure)
        {
            report.Leave("extract files", $"{name}/{ExtractName}", failure.Message);
        }
    }

    /// <summary>The list of tables was changed for its new place, so its size says nothing.</summary>
    private static bool IsTheSame(string source, string target) =>
        new FileInfo(source) is { } theirs && new FileInfo(target) is { Exists: true } ours && theirs.LastWriteTimeUtc == ours.LastWriteTimeUtc
        && (theirs.Length == ours.Length || theirs.Name == ExtractName);

    private async Task TakeSecretAsync(string name, string loss, string text, CancellationToken stop)
    {
        var target = Path.Combine(options.StateDir, name);
        var ours = File.Exists(target) ? (await File.ReadAllTextAsync(target, stop)).Trim() : "";
        if (text.Length < SecretCharsMin) report.Leave("keys", name, $"it has fewer than {SecretCharsMin} characters, which is not accepted here: {loss}");
        else if (ours == text) report.Find("keys");
        else if (ours.Length > 0) report.Leave("keys", name, $"this server has one of its own: {loss}. Import before the first start, or remove {target}");
        else
        {
            report.Take("keys");
            if (!dryRun) await PrivateFile.ReplaceAsync(target, text, stop);
        }
    }

    private async Task TakeStoredSecretsAsync(SecretStore secrets, CancellationToken stop)
    {
        var file = Path.Combine(from.StateDir, SecretStore.FileName);
        if (!Installation.IsPlain(file)) return;
        var theirs = new SecretStore(from.StateDir);
        foreach (var name in theirs.Names)
        {
            var value = theirs.Find(name)!;
            if (SecretStore.Fault(name, value) is { } fault) report.Leave("stored secrets", name, fault);
            else if (options.Settings.FaultOfVariable(name, value) is { } unfit) report.Leave("stored secrets", name, $"{unfit}.");
            else if (options.Settings.IsOperators(name))
                report.Leave("stored secrets", name, "it decides how the server runs or who gets in: set it in the environment");
            else if (!options.Settings.MayBeStored(name)) report.Leave("stored secrets", name, "nothing here reads it");
            else if (secrets.Find(name) == value) report.Find("stored secrets");
            else if (secrets.Find(name) is not null) report.Leave("stored secrets", name, "this server has another value for it");
            else
            {
                report.Take("stored secrets");
                if (!dryRun) await secrets.SetAsync(name, value, stop);
            }
        }
    }

    private JsonObject Ours()
    {
        var path = Overlay.PathOf(options);
        try
        {
            return InstanceConfig.ReadFile(path) ?? [];
        }
        catch (FormatException fault)
        {
            throw new ImportException($"{path} cannot be read, and is not written over: {fault.Message}. Mend or remove it, and run this again.", fault);
        }
    }

    private JsonObject? Read(string path)
    {
        if (!Installation.IsPlain(path)) return null;
        try
        {
            return InstanceConfig.ReadFile(path);
        }
        catch (FormatException fault)
        {
            report.Leave("configuration", path, $"it cannot be read: {fault.Message}");
            return null;
        }
    }
}
