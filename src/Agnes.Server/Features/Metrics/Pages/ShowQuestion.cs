using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Web;

namespace Agnes.Server.Features.Metrics.Pages;

/// <summary><c>GET /verified-queries/{category/name}</c></summary>
internal static class ShowQuestion
{
    public static async Task<IResult> HandleAsync(HttpContext context, Definitions definitions, string id) =>
        (await definitions.OfAsync(context)).Query(id) is { Row: var query }
            ? Page.Show<QuestionPage>(new QuestionModel(query.ToView(), context.Caller().IsAdmin))
            : Problem.NotFound($"There is no verified query '{id}' over tables that you may read.");
}
