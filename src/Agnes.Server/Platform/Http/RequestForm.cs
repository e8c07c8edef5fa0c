namespace Agnes.Server.Platform.Http;

/// <summary>Reads the fields of a form; what is missing answers 422 in the same shape as a JSON body.</summary>
public sealed class RequestForm
{
    private readonly IFormCollection _form;
    private readonly Invalid _invalid = new();

    private RequestForm(IFormCollection form) => _form = form;

    public static async Task<RequestForm> ReadAsync(HttpContext context)
    {
        if (!context.Request.HasFormContentType) return new RequestForm(FormCollection.Empty);
        try
        {
            return new RequestForm(await context.Request.ReadFormAsync(context.RequestAborted));
        }
        catch (InvalidDataException)
        {
            throw new ProblemException(StatusCodes.Status400BadRequest, "The form could not be read.");
        }
    }

    public string String(string name)
    {
        if (Optional(name) is { } value) return value;
        _invalid.Add("missing", ["body", name], "Field required", null);
        return "";
    }

    public string? Optional(string name)
    {
        if (!_form.TryGetValue(name, out var values) || values.Count == 0) return null;
        var value = values[^1] ?? "";
        if (!value.Contains('\0', StringComparison.Ordinal)) return value;
        _invalid.AddValue("body", name, "text must not hold NUL", null);
        return "";
    }

    public void ThrowIfInvalid() => _invalid.ThrowIfAny();
}
