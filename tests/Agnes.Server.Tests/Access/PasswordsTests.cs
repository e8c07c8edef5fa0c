using System.Buffers.Binary;
using Agnes.Server.Platform.Access;

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
    [InlineData(1024, true)]
    [InlineData(1025, false)]
    public void A_new_password_has_a_sensible_length(int length, bool taken) => (Passwords.Fault(new string('x', length)) is null).ShouldBe(taken);
}
