using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Agnes.Server.Web;

/// <summary>Answers with a page: a Razor component rendered once on the server, given one model that the endpoint has put together.</summary>
public static class Page
{
    public static IResult Show<TPage>(object model, int status = StatusCodes.Status200OK)
        where TPage : IComponent =>
        new RazorComponentResult<TPage>(new Dictionary<string, object?>(StringComparer.Ordinal) { ["Model"] = model })
        {
            StatusCode = status,
            PreventStreamingRendering = true,
        };

    public static IResult Show<TPage>()
        where TPage : IComponent => new RazorComponentResult<TPage> { PreventStreamingRendering = true };
}
