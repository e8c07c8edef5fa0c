using System.Text.Json.Nodes;

namespace Agnes.Emulators.Jira;

/// <summary>
/// The service levels of an issue of a service desk, as their fields show them: cycles that ended and the one that goes on, each with its
/// goal and how much of it is gone. Somebody who is no agent sees an error in their place, or nothing.
/// </summary>
internal static class Sla
{
    public const string FirstResponseField = "customfield_10328";
    public const string ResolutionField = "customfield_10161";
    private const long FirstResponseGoalMs = 4 * 3_600_000;
    private const long ResolutionGoalMs = 72 * 3_600_000;

    /// <summary>Ends with the first comment.</summary>
    public static JsonNode? FirstResponse(JiraSite site, Issue issue, Viewer viewer) =>
        Show(site, issue, viewer, "42", "Time to first response", FirstResponseGoalMs,
            issue.Comments.Count > 0 ? issue.Comments[0].Created : null);

    /// <summary>Ends when the issue is done.</summary>
    public static JsonNode? Resolution(JiraSite site, Issue issue, Viewer viewer) => Show(
        site, issue, viewer, "43", "Time to resolution", ResolutionGoalMs,
        issue.StatusCategory == "done" ? issue.Histories.FindLast(IsOfStatus)?.Created ?? issue.Updated : null);

    private static bool IsOfStatus(History history) => history.Items.Any(item => item.FieldId == "status");

    private static JsonNode? Show(JiraSite site, Issue issue, Viewer viewer, string id, string name, long goalMs, long? ended)
    {
        if (!site.Shape.Projects[issue.Project].IsServiceDesk) return null;
        if (viewer == Viewer.Personal)
        {
            return issue.Number % 2 == 0
                ? new JsonObject { ["errorMessage"] = "You do not have permission to view this SLA. Ask your administrator." }
                : null;
        }

        var elapsed = Math.Max(0, (ended ?? site.Now.ToUnixTimeMilliseconds()) - issue.Created);
        var cycle = new JsonObject { ["startTime"] = Time(issue.Created) };
        if (ended is { } stop) cycle["stopTime"] = Time(stop);
        else cycle["breachTime"] = Time(issue.Created + goalMs);
        cycle["breached"] = elapsed > goalMs;
        if (ended is null)
        {
            cycle["paused"] = false;
            cycle["withinCalendarHours"] = true;
        }

        cycle["goalDuration"] = Duration(goalMs);
        cycle["elapsedTime"] = Duration(elapsed);
        cycle["remainingTime"] = Duration(goalMs - elapsed);
        var sla = new JsonObject
        {
            ["id"] = id,
            ["name"] = name,
            ["_links"] = new JsonObject { ["self"] = $"{site.Address}/rest/servicedeskapi/request/{issue.Id}/sla/{id}" },
            ["completedCycles"] = ended is null ? [] : new JsonArray(cycle),
        };
        if (ended is null) sla["ongoingCycle"] = cycle;
        return sla;
    }

    private static JsonObject Time(long milliseconds) => new()
    {
        ["iso8601"] = SiteTime.Write(milliseconds)[..19] + SiteTime.Write(milliseconds)[23..],
        ["jira"] = SiteTime.Write(milliseconds),
        ["friendly"] = SiteTime.Day(milliseconds),
        ["epochMillis"] = milliseconds,
    };

    private static JsonObject Duration(long milliseconds) => new()
    {
        ["millis"] = milliseconds,
        ["friendly"] = $"{milliseconds / 3_600_000}h {Math.Abs(milliseconds / 60_000 % 60)}m",
    };
}
