using Agnes.Server.Platform.State.Engines;
using Dapper;

namespace Agnes.Server.Platform.State;

/// <summary>What every installation has: the two system groups. A group of that name made by hand becomes the system's.</summary>
internal static class Seed
{
    public const string CreatedBy = "system:seed";

    public static async Task EnsureAsync(StateStore store, TimeProvider time, CancellationToken cancellation)
    {
        await using var alone = await store.LockForMigrationAsync(cancellation);
        await using var transaction = await store.BeginAsync(cancellation);
        var changed = 0;
        foreach (var name in (string[])[Snapshot.AdminGroup, Snapshot.EveryoneGroup])
        {
            var now = time.Micros();
            const string Insert =
                """
                INSERT INTO user_groups (id, name, is_system, created_at, created_by) VALUES (@id, @name, TRUE, @now, @CreatedBy) ON CONFLICT (name) DO NOTHING
                """;
            const string Promote = "UPDATE user_groups SET is_system = TRUE WHERE name = @name AND NOT is_system";
            var row = new { id = Guid.NewGuid().ToString("D"), name, now, CreatedBy };
            changed += await transaction.Connection.ExecuteAsync(new(Insert, row, transaction.Transaction, cancellationToken: cancellation));
            changed += await transaction.Connection.ExecuteAsync(new(Promote, row, transaction.Transaction, cancellationToken: cancellation));
        }
        if (changed > 0) await transaction.CommitAsync(raise: true, cancellation);
    }
}
