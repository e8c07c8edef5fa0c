using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Desktop;

/// <summary>Whose desktop is linked, and since when: a token from before an unlinking is not exchanged any more. The only reader and writer of <c>desktop_links</c>.</summary>
internal static class DesktopLinks
{
    public static async Task LinkAsync(StateWrite write, string userId)
    {
        await write.ExecuteAsync("INSERT INTO desktop_links (user_id, linked_at) VALUES (@userId, @now) ON CONFLICT (user_id) DO NOTHING", new { userId, now = write.Now });
        write.Audit(userId, "desktop.link", $"user:{userId}");
    }

    /// <summary>Whether it was linked.</summary>
    public static async Task<bool> UnlinkAsync(StateWrite write, string userId)
    {
        if (await write.QueryFirstAsync<string>("DELETE FROM desktop_links WHERE user_id = @userId RETURNING user_id", new { userId }) is null) return false;
        write.Audit(userId, "desktop.unlink", $"user:{userId}");
        return true;
    }

    /// <summary>With its owner.</summary>
    public static Task DeleteOfAsync(StateWrite write, string userId) => write.ExecuteAsync("DELETE FROM desktop_links WHERE user_id = @userId", new { userId });

    /// <summary>Null when it is not.</summary>
    public static async Task<DateTime?> SinceAsync(StateDb state, string userId, CancellationToken stop) =>
        (await state.ReadAsync<DateTime?>("SELECT linked_at FROM desktop_links WHERE user_id = @userId", new { userId }, stop)).FirstOrDefault();
}

/// <summary>A linked application ends with its owner's account.</summary>
internal sealed class DesktopBelonging : IBelonging
{
    public string Name => "linked desktop applications";

    public Task EndUserAsync(StateWrite write, string id) => DesktopLinks.DeleteOfAsync(write, id);
}
