using System.Runtime.InteropServices;
using Agnes.Protocol;

namespace Agnes.Engine.Limits.Walls;

/// <summary>What the runtime and the engine open to live at all: their own code, and what they ask the system about itself.</summary>
public static class RuntimeFiles
{
    /// <summary>Asked by name only. Of other processes no more can be learned from <c>/proc</c> than any user of the machine may: the kernel refuses what is inside them.</summary>
    public static readonly string[] ReadableButNotListed =
        ["/proc", "/sys/fs/cgroup", "/sys/kernel/mm/transparent_hugepage", "/dev/urandom", "/dev/random", "/dev/zero", "/etc/ld.so.cache", "/etc/localtime", "/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf"];

    /// <summary>Names of hosts, and whom to trust.</summary>
    public static readonly string[] OfTheNetwork =
    [
        "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services",
        "/etc/ssl/certs", "/etc/pki/ca-trust", "/etc/pki/tls/certs", "/etc/ca-certificates", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
    ];

    /// <summary>Variables that say where the authorities are that an operator trusts: a connector trusts the same.</summary>
    public static readonly string[] AuthoritiesNames = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

    /// <summary>What <see cref="AuthoritiesNames"/> name.</summary>
    public static IEnumerable<string> Authorities =>
        AuthoritiesNames.SelectMany(name => Environment.GetEnvironmentVariable(name)?.Split(':', StringSplitOptions.RemoveEmptyEntries) ?? []).Where(Path.IsPathFullyQualified);

    private static readonly string[] Libraries = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo", "/etc/crypto-policies", "/sys/devices/system"];

    private static readonly string[] Loaders = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/lib/ld-musl-x86_64.so.1", "/lib/ld-musl-aarch64.so.1"];

    /// <summary>Of the program's folder: an operator may keep settings, or the data itself, beside the program.</summary>
    private static readonly string[] CodeSuffixes = [".dll", ".so", ".deps.json", ".runtimeconfig.json", ".pdb"];

    public static IEnumerable<string> Executable(string program) => Loaders.Append(program);

    public static IEnumerable<string> Readable(string program) => Libraries.Concat(RuntimeFolders()).Concat(CodeIn(Path.GetDirectoryName(program)!)).Concat(CodeIn(AppContext.BaseDirectory));

    /// <summary>Rules of Landlock only add: what lies below a folder that every child reads is read by every child.</summary>
    /// <param name="hidden">Files and folders that no child may reach, whether or not they are there yet.</param>
    /// <param name="given">Folders besides the runtime's own that some child is given.</param>
    /// <returns>For each that is exposed, a few words for the operator.</returns>
    public static IReadOnlyList<string> Exposed(string program, IEnumerable<string> hidden, IEnumerable<string> given)
    {
        List<(string Named, string Real)> trees =
            [.. Executable(program).Concat(Readable(program)).Concat(ReadableButNotListed).Concat(OfTheNetwork).Concat(given).Where(Path.Exists).Select(tree => (tree, RealFolder.Of(tree)))];
        return
        [
            .. from path in hidden.Distinct(StringComparer.Ordinal)
               let real = RealFolder.Of(path)
               let tree = trees.FirstOrDefault(tree => RealFolder.IsBelow(real, tree.Real)).Named
               where tree is not null
               select $"landlock around {path} (children read all of {tree}; move it elsewhere)",
        ];
    }

    /// <summary>Where the running runtime is installed, so that the child finds the same one.</summary>
    public static string? RuntimeRoot()
    {
        var shared = new DirectoryInfo(RuntimeEnvironment.GetRuntimeDirectory()).Parent?.Parent; // …/shared/Microsoft.NETCore.App/10.0.x/
        return shared?.Name == "shared" ? shared.Parent?.FullName : null;
    }

    private static IEnumerable<string> RuntimeFolders()
    {
        foreach (var root in (string?[])[RuntimeRoot(), Environment.GetEnvironmentVariable("DOTNET_ROOT")])
        {
            if (root is null) continue;
            yield return Path.Combine(root, "shared");
            yield return Path.Combine(root, "host");
        }
    }

    private static IEnumerable<string> CodeIn(string folder)
    {
        if (!Directory.Exists(folder)) yield break;
        yield return Path.Combine(folder, "runtimes");
        foreach (var file in Directory.EnumerateFiles(folder))
        {
            if (CodeSuffixes.Any(suffix => file.EndsWith(suffix, StringComparison.Ordinal))) yield return file;
        }
    }
}
