using System.Text.Json.Nodes;
using Agnes.Engine.Limits;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Http;

/// <summary>
/// What stays free on the disks of data and state whatever anybody sends: below it, what fills the disk is refused, while reads and control
/// writes go on. An admin can then still revoke, remove and configure, and the state can commit.
/// </summary>
internal sealed class DiskReserve(ServerOptions options, TimeProvider time)
{
    public const string Code = "disk_reserve";
    public const string Refused = "The server's disk is nearly full: nothing was stored. Reading goes on; tell the operator, and try again later.";
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private Looked _looked = new(long.MinValue, IsLow: false);

    /// <summary>Whether less than the reserve is free. Looked at once a second at most.</summary>
    public bool IsLow
    {
        get
        {
            var (now, looked) = (time.GetTimestamp(), Volatile.Read(ref _looked));
            if (looked.At != long.MinValue && time.GetElapsedTime(looked.At, now) < LookEvery) return looked.IsLow;
            looked = new Looked(now, Free(options.DataDir) < Of(options.DataDir) || Free(options.StateDir) < Of(options.StateDir));
            Volatile.Write(ref _looked, looked);
            return looked.IsLow;
        }
    }

    /// <summary>Bytes that stay free on the folder's disk.</summary>
    public long Of(string folder) => options.Limits.DiskReserve.On(new DriveInfo(Path.GetFullPath(folder)).TotalSize);

    /// <summary>Bytes that may still be written to the folder's disk.</summary>
    public long RoomIn(string folder) => Math.Max(0, Free(folder) - Of(folder));

    public static IResult Refusal() => Problem.Detail(StatusCodes.Status507InsufficientStorage, new JsonObject { ["error"] = Code, ["message"] = Refused });

    private static long Free(string folder) => FileSystem.FreeBytes(folder);

    private sealed record Looked(long At, bool IsLow);
}
