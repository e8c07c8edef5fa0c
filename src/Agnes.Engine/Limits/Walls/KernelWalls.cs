using System.Runtime.InteropServices;

namespace Agnes.Engine.Limits.Walls;

/// <summary>Which walls this kernel and this user can put up around children; looked at once.</summary>
/// <param name="Landlock">Its version; 0 where there is none that serves.</param>
/// <param name="OwnUser">Children get a user of their own; null where the server is no root and there is nothing to take away.</param>
public sealed record KernelWalls(bool NoNewPrivileges, int Landlock, bool Seccomp, bool? OwnUser)
{
    /// <summary>Nobody's: above what distributions deal out, below what containers map.</summary>
    public const uint ChildUser = 64_990;

    private static readonly Lazy<KernelWalls> Looked = new(Look);

    public static KernelWalls Here => Looked.Value;

    /// <summary>What is not there, in words for the operator.</summary>
    public IReadOnlyList<string> Missing =>
    [
        .. NoNewPrivileges ? (string[])[] : ["no_new_privs"],
        .. Landlock > 0 ? (string[])[] : ["landlock (Linux 5.19 or later, enabled)"],
        .. Seccomp ? (string[])[] : ["seccomp (on x86-64 or arm64)"],
        .. OwnUser is not false ? (string[])[] : ["a user of their own (setresuid)"],
    ];

    private static KernelWalls Look()
    {
        if (!LinuxCalls.IsKnown) return new KernelWalls(false, 0, false, null);
        var version = LinuxCalls.LandlockVersion();
        var isRoot = Environment.IsPrivilegedProcess;
        var noNewPrivileges = false;
        var ownUser = false;
        // On a thread that ends here, since neither can be taken back.
        var trying = new Thread(() =>
        {
            noNewPrivileges = LinuxCalls.TryPrctl(LinuxCalls.SetNoNewPrivileges, 1);
            ownUser = isRoot && ChildRights.CanGiveAway && LinuxCalls.TryDropGroups() && LinuxCalls.TrySetUser(ChildUser);
        });
        trying.Start();
        trying.Join();
        LinuxCalls.RestoreDumpable();
        return new KernelWalls(noNewPrivileges, version >= Walls.Landlock.VersionMin ? version : 0, LinuxCalls.OffersSeccomp(), isRoot ? ownUser : null);
    }
}
