using System.Buffers.Binary;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Tests.Access;

public sealed class PasswordsTests
{
    [Fact]
    public async Task A_hash_says_how_it_was_made_and_costs_what_is_recommended()
    {
        using var passwords = new Passwords();
        var hash = await passwords.HashAsync("correct horse", CancellationToken.None);
        var bytes = Convert.FromBase64String(hash);
        bytes[0].ShouldBe((byte)1);
        BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(1)).ShouldBe(2); // HMAC-SHA-512
        BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(5)).ShouldBe(Passwords.IterationsDefault);
        (await passwords.MatchesAsync(hash, "correct horse", CancellationToken.None)).ShouldBeTrue();
        (await passwords.MatchesAsync(hash, "correct horsf", CancellationToken.None)).ShouldBeFalse();
        (await passwords.HashAsync("correct horse", CancellationToken.None)).ShouldNotBe(hash);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0$aGFzaA")]
    public async Task No_password_matches_what_is_no_hash_of_ours(string? hash)
    {
        using var passwords = new Passwords(iterations: 10);
        foreach (var password in (string[])["", "x", hash ?? "null", new string('x', 5_000)]) (await passwords.MatchesAsync(hash, password, CancellationToken.None)).ShouldBeFalse();
    }

    /// <summary>Made by the reference implementation's own program.</summary>
    [Theory]
    [InlineData("whatever it was", "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$oK/XllAIocFCC/1ZqoR/w4DnJsPcy+a7beIXw3TSKTU")]
    [InlineData("correct horse", "$argon2id$v=19$m=64,t=1,p=2$c2FsdHNhbHRzYWx0$4rB3swn3f1jaR9G+WkBbmEWXck/9UzA5")]
    public async Task An_imported_argon2_hash_is_checked_and_counts_as_old(string password, string hash)
    {
        using var passwords = new Passwords(iterations: 10);
        Passwords.IsUsable(hash).ShouldBeTrue();
        (await passwords.CompareAsync(hash, password, CancellationToken.None)).ShouldBe(PasswordMatch.YesByAnOldHash);
        foreach (var wrong in (string[])["", password + " ", new string('x', 5_000)]) (await passwords.MatchesAsync(hash, wrong, CancellationToken.None)).ShouldBeFalse(wrong);

        // From now on whoever is refused waits as long, with a hash of ours or with none.
        var began = TimeProvider.System.GetTimestamp();
        (await passwords.MatchesAsync(hash, "wrong", CancellationToken.None)).ShouldBeFalse();
        var took = TimeProvider.System.GetElapsedTime(began);
        if (took < TimeSpan.FromMilliseconds(5)) return; // a wait has steps of a millisecond
        foreach (var other in (string?[])[null, await passwords.HashAsync("another", CancellationToken.None)])
        {
            began = TimeProvider.System.GetTimestamp();
            (await passwords.MatchesAsync(other, "wrong", CancellationToken.None)).ShouldBeFalse();
            TimeProvider.System.GetElapsedTime(began).ShouldBeGreaterThan(took / 4);
        }
    }

    [Theory]
    [InlineData("$argon2id$v=19$m=1048576,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$oK/XllAIocFCC/1ZqoR/w4DnJsPcy+a7beIXw3TSKTU")]
    [InlineData("$argon2id$v=19$m=65536,t=11,p=4$c29tZXNhbHRzb21lc2FsdA$oK/XllAIocFCC/1ZqoR/w4DnJsPcy+a7beIXw3TSKTU")]
    [InlineData("$argon2id$v=19$m=65536,t=3,p=17$c29tZXNhbHRzb21lc2FsdA$oK/XllAIocFCC/1ZqoR/w4DnJsPcy+a7beIXw3TSKTU")]
    [InlineData("$argon2id$v=19$m=65536,t=0,p=4$c29tZXNhbHRzb21lc2FsdA$oK/XllAIocFCC/1ZqoR/w4DnJsPcy+a7beIXw3TSKTU")]
    [InlineData("$argon2id$v=19$m=8,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$oK/XllAIocFCC/1ZqoR/w4DnJsPcy+a7beIXw3TSKTU")]
    [InlineData("$argon2id$v=16$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$oK/XllAIocFCC/1ZqoR/w4DnJsPcy+a7beIXw3TSKTU")]
    [InlineData("$argon2i$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$oK/XllAIocFCC/1ZqoR/w4DnJsPcy+a7beIXw3TSKTU")]
    [InlineData("$argon2id$v=19$m=65536,t=3,p=4$c29t$oK/XllAIocFCC/1ZqoR/w4DnJsPcy+a7beIXw3TSKTU")]
    [InlineData("$2b$12$abcdefghijklmnopqrstuuWq0f9yv1sV7Z3n0yH5e9m9dKqS1F8uG")]
    public async Task A_hash_that_would_cost_more_than_a_sign_in_may_or_is_of_another_kind_is_none(string hash)
    {
        using var passwords = new Passwords(iterations: 10);
        Passwords.IsUsable(hash).ShouldBeFalse();
        (await passwords.MatchesAsync(hash, "whatever it was", CancellationToken.None)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_password_longer_than_is_taken_never_matches_and_costs_no_more()
    {
        using var passwords = new Passwords(iterations: 10);
        var hash = await passwords.HashAsync(new string('x', 2_000), CancellationToken.None);
        (await passwords.MatchesAsync(hash, new string('x', 2_000), CancellationToken.None)).ShouldBeFalse();
    }

    [Theory]
    [InlineData(7, false)]
    [InlineData(8, true)]
    [InlineData(64, true)]
    [InlineData(1024, true)]
    [InlineData(1025, false)]
    public void A_new_password_has_a_sensible_length(int length, bool taken)
    {
        var random = new Random(1);
        Taken(string.Concat(Enumerable.Range(0, length).Select(_ => (char)random.Next('!', 0x2000)))).ShouldBe(taken);
    }

    [Theory]
    [InlineData("password")]
    [InlineData("Password1!")]
    [InlineData("P@ssw0rd2024")]
    [InlineData("123456789")]
    [InlineData("19841984")]
    [InlineData("qwertyuiop")]
    [InlineData("qwerty123")]
    [InlineData("1q2w3e4r5t")]
    [InlineData("zaq12wsx")]
    [InlineData("1qaz2wsx")]
    [InlineData("abcd1234")]
    [InlineData("aaaaaaaa")]
    [InlineData("abcabcabc")]
    [InlineData("asdfghjkl;")]
    [InlineData("iloveyou")]
    [InlineData("Sunshine99")]
    [InlineData("trustno1")]
    [InlineData("letmein!!")]
    [InlineData("football1")]
    [InlineData("princess123")]
    [InlineData("superman2020")]
    [InlineData("blackcat7")]
    [InlineData("Welcome@123")]
    [InlineData("Agnes2026!")]
    [InlineData("acme-data-1")]
    [InlineData("ana.novak1")]
    public void What_is_tried_first_is_refused(string password) => Taken(password).ShouldBeFalse();

    [Theory]
    [InlineData("correct horse battery")]
    [InlineData("correct horse")]
    [InlineData("tr0ub4dor&3 and more")]
    [InlineData("xK9#mP2$vL")]
    [InlineData("ein blaues Haus am See")]
    [InlineData("agnes keeps my numbers safe")]
    [InlineData("пароль из слов")]
    [InlineData("😀😀🚀🌍🎲🧩")]
    [InlineData("75392846105937")]
    public void What_nobody_tries_first_is_taken(string password) => Taken(password).ShouldBeTrue();

    [Fact]
    public void A_list_of_the_operators_is_believed_and_a_missing_one_is_found_at_the_start()
    {
        using var folder = new Agnes.Testing.TemporaryFolder();
        File.WriteAllLines(folder["list.txt"], ["short", "correct horse battery"]);
        Fault("correct horse battery", list: folder["list.txt"])!.ShouldContain("tried first");
        Fault("Correct Horse Battery", list: folder["list.txt"])!.ShouldContain("tried first");
        Fault("correct horse batteries", list: folder["list.txt"]).ShouldBeNull();
        Should.Throw<OptionsException>(() => Fault("x", list: folder["none.txt"])).Message.ShouldContain("AGNES_PASSWORD_BLOCKLIST");
    }

    [Fact]
    public async Task A_hash_that_was_cheaper_is_told_from_one_of_today()
    {
        using var older = new Passwords(iterations: 10);
        using var today = new Passwords(iterations: 20);
        var hash = await older.HashAsync("correct horse", CancellationToken.None);
        (await today.CompareAsync(hash, "correct horse", CancellationToken.None)).ShouldBe(PasswordMatch.YesByAnOldHash);
        (await older.CompareAsync(hash, "correct horse", CancellationToken.None)).ShouldBe(PasswordMatch.Yes);
        (await today.CompareAsync(hash, "correct horsf", CancellationToken.None)).ShouldBe(PasswordMatch.No);
    }

    private static bool Taken(string password) => Fault(password) is null;

    private static string? Fault(string password, string? list = null) => new PasswordRules(
        new ServerOptions { DataDir = "", StateDir = "", InstanceName = "Acme Data", PasswordList = list }).Fault(password, "ana@example.com", "Ana Novak");
}
