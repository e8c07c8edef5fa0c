using System.Data;
using Dapper;

namespace Agnes.Server.Platform.State;

/// <summary>Times in the state: TIMESTAMP without a zone that means UTC, in microseconds.</summary>
public static class UtcTime
{
    /// <summary>Now, cut to what the engines keep, so that a value read back equals the one written.</summary>
    public static DateTime Micros(this TimeProvider time) => Cut(time.GetUtcNow().UtcDateTime);

    public static DateTime Cut(DateTime value) => new(value.Ticks - value.Ticks % TimeSpan.TicksPerMicrosecond, DateTimeKind.Utc);

    internal static void RegisterWithDapper()
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        SqlMapper.AddTypeHandler(new Handler());
    }

    /// <summary>Npgsql refuses a time of kind UTC for a TIMESTAMP; a local time would be a mistake of ours.</summary>
    private sealed class Handler : SqlMapper.TypeHandler<DateTime>
    {
        public override DateTime Parse(object value) => DateTime.SpecifyKind((DateTime)value, DateTimeKind.Utc);

        public override void SetValue(IDbDataParameter parameter, DateTime value)
        {
            if (value.Kind == DateTimeKind.Local) throw new ArgumentException("The state keeps UTC times only.", nameof(value));
            parameter.DbType = DbType.DateTime2;
            parameter.Value = DateTime.SpecifyKind(Cut(value), DateTimeKind.Unspecified);
        }
    }
}
