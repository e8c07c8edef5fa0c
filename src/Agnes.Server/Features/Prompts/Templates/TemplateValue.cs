using System.Globalization;

namespace Agnes.Server.Features.Prompts.Templates;

/// <summary>What values are and do in a template, as Python has it where it matters: truth, comparison, text.</summary>
internal static class TemplateValue
{
    public static string Text(object? value, int line) => value switch
    {
        null => "None",
        string text => text,
        bool flag => flag ? "True" : "False",
        long number => number.ToString(CultureInfo.InvariantCulture),
        double number => number.ToString(number == Math.Floor(number) && Math.Abs(number) < 1e15 ? "0.0" : "R", CultureInfo.InvariantCulture),
        _ => throw new TemplateException($"line {line}: a list or a mapping is not a text; use join or tojson"),
    };

    public static bool IsTrue(object? value) => value switch
    {
        null => false,
        bool flag => flag,
        string text => text.Length > 0,
        long number => number != 0,
        double number => number != 0,
        IReadOnlyList<object?> list => list.Count > 0,
        IReadOnlyDictionary<string, object?> mapping => mapping.Count > 0,
        _ => true,
    };

    /// <summary>What a loop goes through: a list, or the keys of a mapping.</summary>
    public static IReadOnlyList<object?> Items(object? value, TemplateCost cost, int line) => value switch
    {
        IReadOnlyList<object?> list => list,
        IReadOnlyDictionary<string, object?> mapping => [.. mapping.Keys.Select(key =>
        {
            cost.Step(line);
            return key;
        })],
        _ => throw new TemplateException($"line {line}: only a list can be gone through"),
    };

    public static object? Member(object? of, object? key, int line)
    {
        switch (of, key)
        {
            case (IReadOnlyDictionary<string, object?> mapping, string name):
                return mapping.TryGetValue(name, out var value) ? value : new Undefined(name);
            case (IReadOnlyList<object?> list, long index):
                if (index < 0) index += list.Count;
                return index >= 0 && index < list.Count ? list[(int)index] : new Undefined($"[{index}]");
            default:
                return new Undefined(key is null ? "None" : Text(key, line));
        }
    }

    public static object Negative(object? value, int line) => value switch
    {
        long number => (object)-number,
        double number => -number,
        _ => throw new TemplateException($"line {line}: '-' needs a number"),
    };

    public static object? Combine(string operation, object? left, object? right, TemplateCost cost, int line) => operation switch
    {
        "~" => Join(Text(left, line), Text(right, line), cost, line),
        "+" when left is string a && right is string b => Join(a, b, cost, line),
        "+" or "-" => Sum(left, right, operation, line),
        "==" => AreEqual(left, right, cost, line),
        "!=" => !AreEqual(left, right, cost, line),
        "in" => Contains(right, left, cost, line),
        "<" => Compare(left, right, cost, line) < 0,
        ">" => Compare(left, right, cost, line) > 0,
        "<=" => Compare(left, right, cost, line) <= 0,
        _ => Compare(left, right, cost, line) >= 0,
    };

    public static int Compare(object? left, object? right, TemplateCost cost, int line, StringComparison how = StringComparison.Ordinal)
    {
        cost.Char(1, line);
        return Order(left, right, cost, line, how);
    }

    private static int Order(object? left, object? right, TemplateCost cost, int line, StringComparison how) => (left, right) switch
    {
        (string a, string b) => Compare(a, b, cost, line, how),
        (long a, long b) => a.CompareTo(b),
        (long or double, long or double) => Convert.ToDouble(left, CultureInfo.InvariantCulture).CompareTo(Convert.ToDouble(right, CultureInfo.InvariantCulture)),
        (bool a, bool b) => a.CompareTo(b),
        _ => throw new TemplateException($"line {line}: these two cannot be compared"),
    };

    private static int Compare(string left, string right, TemplateCost cost, int line, StringComparison how)
    {
        cost.Char(Math.Min(left.Length, right.Length), line);
        return string.Compare(left, right, how);
    }

    private static string Join(string left, string right, TemplateCost cost, int line)
    {
        cost.Text((long)left.Length + right.Length, line);
        return left + right;
    }

    private static bool AreEqual(object? left, object? right, TemplateCost cost, int line) => (left, right) switch
    {
        (string a, string b) => a.Length == b.Length && Compare(a, b, cost, line, StringComparison.Ordinal) == 0,
        (long a, double b) => a == b,
        (double a, long b) => a == b,
        _ => Equals(left, right),
    };

    private static bool Contains(object? whole, object? part, TemplateCost cost, int line) => whole switch
    {
        string text => Contains(text, Text(part, line), cost, line),
        IReadOnlyList<object?> list => list.Any(item => AreEqualOne(item, part, cost, line)),
        IReadOnlyDictionary<string, object?> mapping => part is string key && mapping.ContainsKey(key),
        _ => throw new TemplateException($"line {line}: 'in' needs a text, a list or a mapping"),
    };

    private static bool Contains(string text, string part, TemplateCost cost, int line)
    {
        cost.Search(text, part, line);
        return text.Contains(part, StringComparison.Ordinal);
    }

    private static bool AreEqualOne(object? item, object? part, TemplateCost cost, int line)
    {
        cost.Step(line);
        return AreEqual(item, part, cost, line);
    }

    private static object Sum(object? left, object? right, string operation, int line)
    {
        var sign = operation == "-" ? -1 : 1;
        return (left, right) switch
        {
            (long a, long b) => (object)unchecked(a + sign * b),
            (long or double, long or double) => Convert.ToDouble(left, CultureInfo.InvariantCulture) + sign * Convert.ToDouble(right, CultureInfo.InvariantCulture),
            _ => throw new TemplateException($"line {line}: '{operation}' needs two numbers; '~' joins texts"),
        };
    }
}
