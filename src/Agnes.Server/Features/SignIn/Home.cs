using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.SignIn;

internal static class Home
{
    public static IResult Redirect(HttpContext context, ServerOptions options) =>
        TypedResults.Redirect(context.CallerOrNull() is null ? "/login" : options.HomeRoute);
}
