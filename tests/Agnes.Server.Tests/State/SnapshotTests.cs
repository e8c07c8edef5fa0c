using Agnes.Server.Platform.State;

namespace Agnes.Server.Tests.State;

public sealed class SnapshotTests
{
    private static readonly DateTime Time = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>Whatever is added and removed in whatever order: the indexes are those of a snapshot that was made of what remains.</summary>
    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5)]
    public void Indexes_are_those_of_what_remains(int seed)
    {
        var random = new Random(seed);
        var snapshot = Snapshot.Empty;
        var rows = new Dictionary<string, Func<Snapshot, Snapshot>>(StringComparer.Ordinal);
        for (var g = 0; g < 5; g++)
        {
            var group = new GroupRow { Id = $"g{g}", Name = $"G{g}" };
            rows[$"group {g}"] = s => s.WithGroup(group);
            snapshot = snapshot.WithGroup(group);
        }
        for (var step = 0; step < 2000; step++)
        {
            var (kind, n, m) = (random.Next(5), random.Next(8), random.Next(5));
            var source = random.Next(2) == 0 ? "admin" : "google_sync";
            var name = $"{step}";
            var remove = random.Next(3) == 0;
            (string Key, Func<Snapshot, Snapshot> Add, Func<Snapshot, Snapshot> Remove) change = kind switch
            {
                0 => ($"user {n}", s => s.WithUser(new() { Id = $"u{n}", Email = $"e{n}@example.com", Name = name }), s => s.WithoutUser($"u{n}")),
                1 => ($"member {n} {m} {source}", s => s.WithMembership(new() { UserId = $"u{n}", GroupId = $"g{m}", Source = source }), s => s.WithoutMembership($"u{n}", $"g{m}", source)),
                2 => ($"grant {n} {m}", s => s.WithGrant(new() { Id = $"grant-{n}-{m}", GroupId = $"g{m}", ResourceType = "table", ResourceId = $"t{n}" }), s => s.WithoutGrant($"grant-{n}-{m}")),
                3 => ($"token {n} {m}", s => s.WithToken(new() { Id = $"k{n}-{m}", UserId = $"u{n}", Name = "", TokenHash = "", Prefix = "" }), s => s.WithoutToken($"k{n}-{m}")),
                _ => ($"version {n} {m}", s => s.WithVersion(Old(BackupTests.Version($"T{n}", m, $"{n}{m}", $"shared{n}"))), s => s.WithoutVersion($"t{n}", m)),
            };
            var cascades = remove && kind == 0 && snapshot.User($"u{n}") is not null;
            snapshot = (remove ? change.Remove : change.Add)(snapshot);
            if (remove) rows.Remove(change.Key);
            else rows[change.Key] = change.Add;
            if (!cascades) continue;
            foreach (var gone in rows.Keys.Where(key => key.StartsWith($"member {n} ", StringComparison.Ordinal) || key.StartsWith($"token {n} ", StringComparison.Ordinal)).ToList()) rows.Remove(gone);
        }
        var rebuilt = rows.Values.Aggregate(Snapshot.Empty, (s, add) => add(s));
        snapshot.Differences(rebuilt).ShouldBeEmpty();
        for (var n = 0; n < 8; n++)
        {
            var kept = snapshot.Kept.GetValueOrDefault($"t{n}", KeptVersions.Empty);
            kept.Part("", $"shared{n}").ShouldBe(kept.ByNumber.IsEmpty ? null : rebuilt.Kept[$"T{n}"].Part("", $"shared{n}"));
            for (var m = 0; m < 5; m++) (kept.Part("", $"{n}{m}") is not null).ShouldBe(kept.ByNumber.ContainsKey(m));
        }
    }

    [Fact]
    public void A_member_by_two_sources_stays_until_both_are_gone()
    {
        var snapshot = Snapshot.Empty.WithGroup(new() { Id = "g", Name = "Admin" })
            .WithMembership(new() { UserId = "u", GroupId = "g", Source = "admin" })
            .WithMembership(new() { UserId = "u", GroupId = "g", Source = "google_sync" });
        snapshot.IsAdmin("u").ShouldBeTrue();
        snapshot = snapshot.WithoutMembership("u", "g", "admin");
        snapshot.IsAdmin("u").ShouldBeTrue();
        snapshot.UserIdsOf("g").ShouldBe(["u"]);
        snapshot = snapshot.WithoutMembership("u", "g", "google_sync");
        snapshot.IsAdmin("u").ShouldBeFalse();
        snapshot.UserIdsOf("g").ShouldBeEmpty();
    }

    [Fact]
    public void A_group_takes_its_members_and_grants_with_it()
    {
        var snapshot = Snapshot.Empty.WithGroup(new() { Id = "g", Name = "G" })
            .WithMembership(new() { UserId = "u", GroupId = "g", Source = "admin" })
            .WithGrant(new() { Id = "x", GroupId = "g", ResourceType = "table", ResourceId = "t" });
        snapshot.IsGranted("g", "table", "t").ShouldBeTrue();
        snapshot.WithoutGroup("g").Differences(Snapshot.Empty).ShouldBeEmpty();
    }

    [Fact]
    public void One_version_is_current_and_superseded_ones_can_still_be_found_by_their_parts()
    {
        var first = BackupTests.Version("orders", 1, "a", "b");
        var second = BackupTests.Version("orders", 2, "a", "c");
        var snapshot = Snapshot.Empty.WithVersion(first);
        Should.Throw<StateConflictException>(() => snapshot.WithVersion(second));
        snapshot = snapshot.WithVersion(Old(first)).WithVersion(second);
        snapshot.PublishedTable("ORDERS").ShouldBe(second);
        snapshot.PublishedNamesOf("files").ShouldBe(["orders"]);
        snapshot.Kept["orders"].Part("", "b").ShouldNotBeNull();
        snapshot.Kept["orders"].WithDigest("", first.PartsDigest)!.Number.ShouldBe(1);
        snapshot = snapshot.WithoutVersion("orders", 1);
        snapshot.Kept["orders"].Part("", "b").ShouldBeNull();
        snapshot.Kept["orders"].Part("", "a").ShouldNotBeNull();
        snapshot.WithoutVersion("orders", 2).Differences(Snapshot.Empty).ShouldBeEmpty();
    }

    [Fact]
    public void Two_users_may_not_have_one_address_and_a_changed_address_frees_the_old_one()
    {
        var snapshot = Snapshot.Empty.WithUser(new() { Id = "1", Email = "a@example.com" });
        Should.Throw<StateConflictException>(() => snapshot.WithUser(new() { Id = "2", Email = "A@example.com" }));
        snapshot = snapshot.WithUser(new() { Id = "1", Email = "b@example.com" });
        snapshot.UserByEmail("a@example.com").ShouldBeNull();
        snapshot.WithUser(new() { Id = "2", Email = "A@example.com" }).UsersById.Count.ShouldBe(2);
    }

    private static PublishedVersion Old(PublishedVersion version) => version with { SupersededAt = Time };
}
