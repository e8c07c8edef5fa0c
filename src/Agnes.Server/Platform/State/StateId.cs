namespace Agnes.Server.Platform.State;

/// <summary>Ids of rows: text, unique everywhere, ordered by time.</summary>
public static class StateId
{
    public static string New(DateTime now) => Guid.CreateVersion7(new DateTimeOffset(DateTime.SpecifyKind(now, DateTimeKind.Utc))).ToString("D");
}
