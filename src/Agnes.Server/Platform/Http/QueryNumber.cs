using System.Globalization;
using System.Text.Json.Nodes;

namespace Agnes.Server.Platform.Http;

/// <summary>A whole number in a query string, within bounds.</summary>
internal static class QueryNumber
{
    /// <exception cref="ProblemException">422: no whole number, or out of bounds.</exception>
    public static int Read(string name, string? given, int absent, int min, int max)
    {
        if (given is null) return absent;
        var invalid = new Invalid();
        if (!int.TryParse(given, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            invalid.Add("int_parsing", ["query", name], "Input should be a valid integer, unable to parse string as an integer", given);
        else if (number < min)
            invalid.Add("greater_than_equal", ["query", name], $"Input should be greater than or equal to {min}", given, new JsonObject { ["ge"] = min });
        else if (number > max)
            invalid.Add("less_than_equal", ["query", name], $"Input should be less than or equal to {max}", given, new JsonObject { ["le"] = max });
        invalid.ThrowIfAny();
        return number;
    }
}
