using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Audit;

/// <summary>The filters that the list and the export share.</summary>
internal static class AuditQuery
{
    public static AuditFilter Filter(RequestQuery query) => new()
    {
        UserId = query.Text("user_id"),
        Action = query.Text("action"),
        Resource = query.Text("resource"),
        Since = query.Time("since"),
        Until = query.Time("until"),
    };
}
