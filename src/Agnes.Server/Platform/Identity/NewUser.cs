using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Identity;

/// <summary>What making a user means wherever it happens: the row, and the group that everyone is in.</summary>
internal static class NewUser
{
    public static async Task<UserRow> AddAsync(StateWrite write, string email, string name, string? passwordHash)
    {
        var user = new UserRow { Id = write.NewId(), Email = email, Name = name, PasswordHash = passwordHash, CreatedAt = write.Now };
        await UserStore.InsertAsync(write, user);
        await Everyone.AddAsync(write, user.Id);
        return user;
    }
}
