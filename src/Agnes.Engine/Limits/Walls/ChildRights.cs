namespace Agnes.Engine.Limits.Walls;

/// <summary>
/// Whom a child of a root server runs as. The data is root's, so the child keeps the one right it needs to get at what Landlock leaves it: reading, and only where it
/// writes in the data folders, also writing. All other rights go, and with <c>no_new_privs</c> none comes back.
/// </summary>
internal static class ChildRights
{
    private const int Chown = 0;
    private const int OverrideFileRights = 1;
    private const int ReadAndSearch = 2;
    private const int FileOwner = 3; // links to, and times of, files that are another user's
    private const int SetRights = 8;

    private static readonly ulong Held = OperatingSystem.IsLinux() ? LinuxCalls.PermittedCapabilities() : 0;

    /// <summary>A container may have taken the rights away that it needs to make another user's process of use.</summary>
    public static bool CanGiveAway => Has(Chown) && Has(SetRights) && (Has(ReadAndSearch) || Has(OverrideFileRights));

    /// <summary>On the thread that starts the child; the server's other threads stay what they are.</summary>
    public static void Drop(uint? user, bool writes)
    {
        var kept = user is null ? 0 : Kept(writes);
        if (user is { } id)
        {
            LinuxCalls.Prctl(LinuxCalls.SetSecureBits, LinuxCalls.RightsApartFromUser);
            if (!LinuxCalls.TryDropGroups() || !LinuxCalls.TrySetUser(id)) throw new WallException("The child could not be given a user of its own (setresuid).");
        }

        LinuxCalls.TryPrctl(LinuxCalls.CapabilityAmbient, LinuxCalls.AmbientClearAll);
        LinuxCalls.SetCapabilities(kept);
        for (var capability = 0; capability <= FileOwner; capability++)
        {
            if ((kept & (1UL << capability)) != 0) LinuxCalls.Prctl(LinuxCalls.CapabilityAmbient, LinuxCalls.AmbientRaise, capability);
        }
    }

    private static ulong Kept(bool writes)
    {
        var wanted = writes ? Bit(OverrideFileRights) | Bit(ReadAndSearch) | Bit(FileOwner) : Has(ReadAndSearch) ? Bit(ReadAndSearch) : Bit(OverrideFileRights);
        return wanted & Held;
    }

    private static bool Has(int capability) => (Held & Bit(capability)) != 0;

    private static ulong Bit(int capability) => 1UL << capability;
}
