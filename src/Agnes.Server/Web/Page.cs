using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Agnes.Server.Web;

/// <summary>Answers with a page: a Razor component rendered once on the server, given one model that the endpoint has put together.</summary>
public static class Page
{
    /// <summary>Pages hold what only their reader may see, so nobody keeps a copy.</summary>
    public static IResult Show<TPage>(object model, int status = StatusCodes.Status200OK)
        where TPage : IComponent => new PageResult<TPage>(model, status);

    /// <summary>A page that says the same to everybody.</summary>
    public static IResult Show<TPage>()
        where TPage : IComponent => new PageResult<TPage>(null, StatusCodes.Status200OK);

    private sealed class PageResult<TPage>(object? model, int status) : IResult, IStatusCodeHttpResult
        where TPage : IComponent
    {
        public int? StatusCode => status;

        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers.CacheControl = "no-store";
            return new RazorComponentResult<TPage>(new Dictionary<string, object?>(StringComparer.Ordinal) { ["Model"] = model })
            {
                StatusCode = status,
                PreventStreamingRendering = true,
            }.ExecuteAsync(httpContext);
        }
    }
}
