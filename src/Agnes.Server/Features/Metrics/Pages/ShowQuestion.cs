using Agnes.Server.Features.VerifiedQueries;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;
using Agnes.Server.Web;

namespace Agnes.Server.Features.Metrics.Pages;

/// <summary><c>GET /verified-queries/{category/name}</c></summary>
internal static class ShowQuestion
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, string id) =>
        await ShowVerifiedQuery.FindAsync(context, state, id) is { } query
            ? Page.Show<QuestionPage>(new QuestionModel(query.ToView(), context.Caller().IsAdmin))
            : Problem.NotFound($"There is no verified query '{id}' over tables that you may read.");
}
