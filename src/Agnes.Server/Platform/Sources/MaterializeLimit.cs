using System.Globalization;

namespace Agnes.Server.Platform.Sources;

/// <summary>What a source may have to read for one materialized table; from the contract of materialized tables (10 GiB).</summary>
internal static class MaterializeLimit
{
    public const string Name = "max_bytes_per_materialize";

    /// <summary>0: no limit.</summary>
    public const long Default = 10L << 30;

    /// <summary>For a connection's settings, which are texts.</summary>
    public static SourceSetting Setting => new(Name, "int")
    {
        Default = Default,
        Hint = "What the source may have to read for one materialized table; 0 disables.",
    };

    /// <summary>What is not set is the default; what is no number was refused when it was set.</summary>
    public static long Of(string? set) => Read(set) ?? Default;

    /// <returns>What is wrong, or null.</returns>
    public static string? Fault(string? set) =>
        string.IsNullOrEmpty(set) || Read(set) is not null ? null : $"{Name} must be a number of bytes, or 0 for none";

    private static long? Read(string? set) =>
        long.TryParse(set, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) ? bytes : null;
}
