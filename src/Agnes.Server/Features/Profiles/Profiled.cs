using System.Globalization;
using Agnes.Engine.Query;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Registry;

namespace Agnes.Server.Features.Profiles;

/// <summary>What came of asking for a profile: the row, or why there is none.</summary>
/// <param name="Failure">Ok only with a row.</param>
internal sealed record Profiled(TableProfileRow? Row, StatementStatus Failure)
{
    private const int RetryAfterSeconds = 5;

    public static Profiled Of(TableProfileRow row) => new(row, StatementStatus.Ok);

    public static Profiled Failed(StatementStatus why) => new(null, why);

    /// <summary>The engine's own words are left out: they show statements that the asker never wrote.</summary>
    public IResult Refuse(HttpContext context)
    {
        switch (Failure)
        {
            case StatementStatus.ClientGone: return Results.Empty;
            case StatementStatus.TableDenied: return Problem.Detail(StatusCodes.Status403Forbidden, "Access was taken away while the profile was made.");
            case StatementStatus.Busy:
                context.Response.Headers.RetryAfter = RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
                return Problem.Detail(StatusCodes.Status429TooManyRequests, "Other profiles are being made. Try again in a moment.");
            default: return Problem.Detail(StatusCodes.Status500InternalServerError, $"Profile failed: {Why}");
        }
    }

    private string Why => Failure switch
    {
        StatementStatus.TimedOut => $"it took longer than {Profiler.TimeMax.TotalSeconds:0} s. Look at the columns that you need with a query.",
        StatementStatus.OutOfMemory or StatementStatus.TooLarge => "the table needs more memory than a query may use. Look at the columns that you need with a query.",
        StatementStatus.PartDamaged => "a part of the table is missing or was changed. An admin can sync the table again.",
        _ => "the table's rows could not be read. An admin finds more in the server's log.",
    };
}
