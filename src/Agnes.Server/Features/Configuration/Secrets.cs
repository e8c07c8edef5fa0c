using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Configuration;

/// <summary>Secrets by the names of the variables that they stand for. What the environment sets itself wins over them.</summary>
internal static class Secrets
{
    public static IResult List(SecretStore secrets, ServerOptions options) => JsonBody.Of(
        new SecretList([.. secrets.Names.Select(name => new SecretView(name, options.Variables(name) is { Length: > 0 }))]),
        ConfigurationJson.Default.SecretList);

    public static async Task<IResult> SetAsync(
        HttpContext context, StateDb state, ServerOptions options, SecretStore secrets, string name, CancellationToken stop)
    {
        var body = await RequestBody.ReadAsync(context);
        if (body.Element("value") is not { ValueKind: System.Text.Json.JsonValueKind.String })
        {
            // Said without the body, in which the secret may stand under another name.
            var invalid = new Invalid();
            invalid.Add(body.Has("value") ? "string_type" : "missing", ["body", "value"], body.Has("value") ? "Input should be a valid string" : "Field required", null);
            throw invalid.Exception();
        }

        var value = body.String("value");
        body.ThrowIfInvalid();
        if (value.Trim().Length == 0) return Problem.Detail(StatusCodes.Status400BadRequest, "value must not be blank: delete the secret to remove it.");
        if (options.Settings.FaultOfVariable(name, value.Trim()) is { } unfit)
        {
            var invalid = new Invalid();
            invalid.Add("value_error", ["body", "value"], unfit, null);
            throw invalid.Exception();
        }

        if (SecretStore.Fault(name, value.Trim()) is { } fault) return Problem.Detail(StatusCodes.Status400BadRequest, fault);
        if (RefusalOf(options.Settings, name) is { } refusal) return Problem.Detail(StatusCodes.Status400BadRequest, refusal);
        await secrets.SetAsync(name, value, stop);
        await NoteChangeAsync(context, state, "secret.set", name, stop);
        return TypedResults.NoContent();
    }

    private static string? RefusalOf(SettingSet settings, string name)
    {
        if (settings.IsOperators(name)) return $"{name} decides how the server runs or who gets in: only its environment can set it.";
        return settings.MayBeStored(name) ? null : $"Nothing reads {name}. What can be stored: {string.Join(", ", settings.Storable)}.";
    }

    public static async Task<IResult> RemoveAsync(HttpContext context, StateDb state, SecretStore secrets, string name, CancellationToken stop)
    {
        if (secrets.Find(name) is null) return Problem.NotFound("Secret not found");
        await secrets.SetAsync(name, "", stop);
        await NoteChangeAsync(context, state, "secret.removed", name, stop);
        return TypedResults.NoContent();
    }

    private static async Task NoteChangeAsync(HttpContext context, StateDb state, string action, string name, CancellationToken stop)
    {
        WriteRight.Current = null; // what is done is told of, whatever became of the right
        var actor = context.Caller().UserId;
        await state.WriteAsync(
            async write =>
            {
                write.Audit(actor, action, $"secret:{name}");
                await write.RetryNowAsync(_ => true); // tables that could not be pulled may have failed for it
            },
            stop);
    }
}

internal sealed record SecretList(IReadOnlyList<SecretView> Secrets);

internal sealed record SecretView(string Name, bool OverriddenByEnvironment);
