using System.Globalization;
using System.Text.Json.Nodes;

namespace Agnes.Server.Platform.Http;

/// <summary>Reads query parameters and collects every fault, in the shape of a faulty body.</summary>
public sealed class RequestQuery(HttpContext context)
{
    private readonly Invalid _invalid = new();

    /// <summary>Null when absent or empty.</summary>
    public string? Text(string name)
    {
        var value = context.Request.Query[name].ToString();
        if (value.Length == 0) return null;
        if (!value.Contains('\0', StringComparison.Ordinal)) return value;
        _invalid.AddValue("query", name, "text must not hold NUL", null);
        return null;
    }

    public string RequiredText(string name)
    {
        if (Text(name) is { } value) return value;
        _invalid.Add("missing", ["query", name], "Field required", null);
        return "";
    }

    public int Integer(string name, int absent, int min, int max)
    {
        if (Text(name) is not { } text) return absent;
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
        {
            _invalid.Add("int_parsing", ["query", name], "Input should be a valid integer, unable to parse string as an integer", text);
            return absent;
        }

        if (value < min) _invalid.Add("greater_than_equal", ["query", name], $"Input should be greater than or equal to {min}", text, new JsonObject { ["ge"] = min });
        else if (value > max) _invalid.Add("less_than_equal", ["query", name], $"Input should be less than or equal to {max}", text, new JsonObject { ["le"] = max });
        return value;
    }

    /// <summary>UTC where the text names no offset.</summary>
    public DateTime? Time(string name)
    {
        if (Text(name) is not { } text) return null;
        if (DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)) return time;
        _invalid.Add("datetime_parsing", ["query", name], "Input should be a valid datetime", text);
        return null;
    }

    public void Refuse(string name, string message) => _invalid.AddValue("query", name, message, Text(name));

    public void ThrowIfInvalid() => _invalid.ThrowIfAny();
}
