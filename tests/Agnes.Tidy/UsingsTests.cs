namespace Agnes.Tidy;

/// <summary>Usings stand in the order that <c>dotnet format</c> gives them. The build does not look at it, and the formatter takes a minute and a half to.</summary>
public sealed class UsingsTests
{
    [Fact]
    public void Usings_are_in_order()
    {
        var wrong =
            from folder in (string[])["src", "tests", "bench"]
            from file in Repository.Sources(folder, ".cs")
            let block = file.Lines.SkipWhile(line => !IsUsing(line)).TakeWhile(IsUsing).Select(line => line[6..^1]).ToList()
            let sorted = block.OrderBy(name => !IsSystem(name)).ThenBy(name => name.Split('.'), Comparer<string[]>.Create(Compare)).ToList()
            where !block.SequenceEqual(sorted, StringComparer.Ordinal)
            select $"{file.Path}: {string.Join(", ", sorted.Where((name, index) => name != block[index]).Take(2))} stands elsewhere";
        wrong.ShouldBeEmpty("dotnet format puts it right");
    }

    private static bool IsUsing(string line) =>
        line.StartsWith("using ", StringComparison.Ordinal) && line.EndsWith(';') && line.AsSpan(6, line.Length - 7).IndexOfAnyExcept(NameCharacters) < 0;

    private static bool IsSystem(string name) => name == "System" || name.StartsWith("System.", StringComparison.Ordinal);

    private static int Compare(string[] left, string[] right)
    {
        for (var i = 0; i < Math.Min(left.Length, right.Length); i++)
        {
            if (string.Compare(left[i], right[i], StringComparison.OrdinalIgnoreCase) is var order && order != 0) return order;
        }

        return left.Length - right.Length;
    }

    private static readonly System.Buffers.SearchValues<char> NameCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.");
}
