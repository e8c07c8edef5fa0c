using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Engine.Tests.Walls;

/// <param name="Outside">A file of which the child was not told.</param>
/// <param name="Given">A file in a folder that it was given to read.</param>
/// <param name="Parent">The process that started it.</param>
/// <param name="Port">Of a listener on loopback.</param>
public sealed record ProbeRequest(string Outside, string Given, int Parent, int Port);

/// <summary>
/// A child that does what a statement could if the engine were its attacker's: the engine unlocked, and the kernel asked directly. For each try it says "ok" or why not.
/// It is started like every child, with the walls of every child.
/// </summary>
internal static partial class Probe
{
    public const string Role = "probe";
    private const int ReadOnly = 0;
    private const int UnixFamily = 1;
    private const int PacketFamily = 17;
    private const int StreamType = 1;
    private const int InternetFamily = 2;
    private const int SetOwner = 8;
    private const int SetSignal = 10;
    private const int SetOwnerOfKind = 15;
    private const nuint SetOwnerOfSocket = 0x8901;
    private const nuint SetGroupOfSocket = 0x8902;
    private const int TraceAttach = 16;
    private const int Unshare = 0x10000000; // a namespace of users
    private const int ModeForAll = 0b110_110_110;

    public static async Task<int> RunAsync(TextReader input, TextWriter output)
    {
        var request = JsonSerializer.Deserialize<ProbeRequest>((await input.ReadLineAsync())!)!;
        var here = Directory.GetCurrentDirectory();
        using var engine = new DuckDBConnection("Data Source=:memory:");
        engine.Open();
        var tries = new Dictionary<string, Func<string>>(StringComparer.Ordinal)
        {
            ["read what was given"] = () => Said(() => File.ReadAllText(request.Given)),
            ["write in scratch"] = () => Said(() => File.WriteAllText(Path.Combine(here, "own"), "x")),
            ["run in many threads"] = () => Said(() => Scalar(engine, "SELECT count(DISTINCT i % 1000 || 'x') FROM range(2000000) t(i)")),
            ["open another file"] = () => Said(() => File.ReadAllText(request.Outside)),
            ["list another folder"] = () => Said(() => Directory.GetFiles(Path.GetDirectoryName(request.Outside)!)),
            ["open /etc/passwd"] = () => Said(() => File.ReadAllText("/etc/passwd")),
            ["engine reads another file"] = () => Said(() => Scalar(engine, $"SELECT content FROM read_text({SqlText.Literal(request.Outside)})")),
            ["engine attaches another file"] = () => Said(() => Scalar(engine, $"ATTACH {SqlText.Literal(request.Outside)} AS other")),
            ["engine writes what was given"] = () => Said(() => Scalar(engine, $"COPY (SELECT 1) TO {SqlText.Literal(request.Given)}")),
            ["write beside what was given"] = () => Said(() => File.WriteAllText(request.Given + ".new", "x")),
            ["remove what was given"] = () => Said(() => File.Delete(request.Given)),
            ["environment of the parent"] = () => Said(() => File.ReadAllBytes($"/proc/{request.Parent}/environ")),
            ["files of the parent"] = () => Said(() => Directory.GetFiles($"/proc/{request.Parent}/fd")),
            ["memory of the parent"] = () => Said(() => File.OpenRead($"/proc/{request.Parent}/mem").Dispose()),
            ["connect to loopback"] = () => Said(() => Connect(new IPEndPoint(IPAddress.Loopback, request.Port))),
            ["socket of this machine"] = () => Code(MakeSocket(UnixFamily, StreamType, 0)),
            ["packets of this machine"] = () => Code(MakeSocket(PacketFamily, StreamType, 0)),
            ["run a program"] = () => Said(() => Process.Start("/bin/true").Dispose()),
            ["become a program"] = () => Code(Execute("/bin/true", 0, 0)),
            ["split"] = () => Code(Fork()),
            ["trace the parent"] = () => Code(Trace(TraceAttach, request.Parent, 0, 0)),
            ["signal the parent"] = () => Code(Kill(request.Parent, 0)),
            ["let a pipe signal the parent"] = () => Code(Control(Pipe(), SetOwner, request.Parent)),
            ["choose a pipe's signal"] = () => Code(Control(Pipe(), SetSignal, 9)),
            ["let a pipe signal one thread"] = () => Code(Control(Pipe(), SetOwnerOfKind, [0, request.Parent])),
            ["let a socket signal the parent"] = () => Code(Request(SocketOrPipe(), SetOwnerOfSocket, [request.Parent])),
            ["let a socket signal the parent by its other name"] = () => Code(Request(SocketOrPipe(), SetGroupOfSocket, [request.Parent])),
            ["slow the parent down"] = () => Code(SetPriority(0, request.Parent, 1)),
            ["namespaces"] = () => Code(UnshareNow(Unshare)),
            ["open by handle"] = () => Code(OpenByHandle(0, 0, ReadOnly)),
            ["become root"] = () => Code(SetUser(0)),
            ["open a file to others"] = () => Code(ChangeMode(request.Outside, ModeForAll)),
            ["watch a folder"] = () => Code(Watch(0)),
        };
        foreach (var (what, attempt) in tries) await output.WriteLineAsync($"{what}: {attempt()}");
        await output.WriteLineAsync("done");
        await output.FlushAsync();
        await input.ReadLineAsync(); // it is looked at from outside until its input closes
        return 0;
    }

    private static int Pipe()
    {
        Span<int> ends = stackalloc int[2];
        return MakePipe(ends) == 0 ? ends[0] : -1;
    }

    private static int SocketOrPipe() => MakeSocket(InternetFamily, StreamType, 0) is >= 0 and var socket ? socket : Pipe();

    private static string Said(Action act)
    {
        try
        {
            act();
            return "ok";
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return $"{e.GetBaseException().GetType().Name} {e.GetBaseException().Message.ReplaceLineEndings(" ")}";
        }
    }

    private static string Said<T>(Func<T> act) => Said(() => { _ = act(); });

    private static string Code(int result) => result >= 0 ? "ok" : Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());

    private static void Connect(IPEndPoint address)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(address);
    }

    private static object? Scalar(DuckDBConnection connection, string sql)
    {
        using var command = new DuckDBCommand(sql, connection);
        return command.ExecuteScalar();
    }

    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, nint arguments, nint environment);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int MakeSocket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "pipe", SetLastError = true)]
    private static partial int MakePipe(Span<int> ends);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int descriptor, int request, nint argument);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int descriptor, int request, ReadOnlySpan<int> argument);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Request(int descriptor, nuint request, ReadOnlySpan<int> argument);

    [LibraryImport("libc", EntryPoint = "fork", SetLastError = true)]
    private static partial int Fork();

    [LibraryImport("libc", EntryPoint = "ptrace", SetLastError = true)]
    private static partial int Trace(nint request, nint process, nint address, nint data);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "setpriority", SetLastError = true)]
    private static partial int SetPriority(int which, int who, int priority);

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static partial int UnshareNow(int flags);

    [LibraryImport("libc", EntryPoint = "open_by_handle_at", SetLastError = true)]
    private static partial int OpenByHandle(int mount, nint handle, int flags);

    [LibraryImport("libc", EntryPoint = "setuid", SetLastError = true)]
    private static partial int SetUser(uint user);

    [LibraryImport("libc", EntryPoint = "chmod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeMode(string path, int mode);

    [LibraryImport("libc", EntryPoint = "inotify_init1", SetLastError = true)]
    private static partial int Watch(int flags);
}
