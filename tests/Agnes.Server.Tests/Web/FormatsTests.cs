using Agnes.Server.Web;

namespace Agnes.Server.Tests.Web;

public sealed class FormatsTests
{
    private static readonly DateTime Now = new(2026, 5, 12, 12, 0, 0, DateTimeKind.Utc);

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "1 kB")]
    [InlineData(1234, "1.23 kB")]
    [InlineData(12_345, "12.3 kB")]
    [InlineData(123_456, "123 kB")]
    [InlineData(999_499, "999 kB")]
    [InlineData(999_500, "1 MB")]
    [InlineData(5_400_000_000, "5.4 GB")]
    [InlineData(long.MaxValue, "9223 PB")]
    public void Sizes_have_three_digits_and_a_unit(long bytes, string text) => Formats.Bytes(bytes).ShouldBe(text);

    [Theory]
    [InlineData(0, "just now")]
    [InlineData(44, "just now")]
    [InlineData(-44, "just now")]
    [InlineData(59, "59 seconds ago")]
    [InlineData(60, "1 minute ago")]
    [InlineData(3599, "59 minutes ago")]
    [InlineData(7200, "2 hours ago")]
    [InlineData(-7200, "in 2 hours")]
    [InlineData(86_400, "1 day ago")]
    [InlineData(86_400 * 29, "29 days ago")]
    [InlineData(86_400 * 31, "1 month ago")]
    [InlineData(86_400 * 364, "12 months ago")]
    [InlineData(86_400 * 800, "2 years ago")]
    public void Ages_are_whole_units(int seconds, string text) => Formats.Relative(Now.AddSeconds(-seconds), Now).ShouldBe(text);

    [Theory]
    [InlineData("Ada Lovelace", "a@x.io", "AL")]
    [InlineData(null, "ada.lovelace@x.io", "AL")]
    [InlineData(" ", "ada@x.io", "AD")]
    [InlineData("X", "a@x.io", "X")]
    [InlineData(null, "@x.io", "?")]
    public void Initials_come_from_the_name_or_the_email(string? name, string email, string letters) => Formats.Initials(name, email).ShouldBe(letters);

    [Theory]
    [InlineData(0, "0 tables")]
    [InlineData(1, "1 table")]
    [InlineData(1234, "1,234 tables")]
    public void Counts_carry_their_noun(long count, string text) => Formats.Count(count, "table").ShouldBe(text);

    [Theory]
    [InlineData(12, "12 ms")]
    [InlineData(2_660, "2.7 s")]
    [InlineData(61_000, "1 min 1 s")]
    [InlineData(7_260_000, "2 h 1 min")]
    public void Durations_have_two_units_at_most(int milliseconds, string text) => Formats.Duration(TimeSpan.FromMilliseconds(milliseconds)).ShouldBe(text);
}
