namespace Agnes.Server.Platform.State;

public enum StateEngine
{
    DuckDb,
    Postgres,
}

/// <summary>Where the state is and what it may use.</summary>
public sealed record StateOptions
{
    public required string DataDir { get; init; }

    /// <summary>Holds <c>system.duckdb</c>, its lock and its side files.</summary>
    public required string StateDir { get; init; }

    /// <summary>Of PostgreSQL; empty for embedded DuckDB.</summary>
    public string? ConnectionString { get; init; }

    public StateEngine Engine => string.IsNullOrWhiteSpace(ConnectionString) ? StateEngine.DuckDb : StateEngine.Postgres;

    /// <summary>Memory limit of the DuckDB instance.</summary>
    public long MemoryBytes { get; init; } = 128L << 20;

    public int Threads { get; init; } = 1;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The embedded engine died and could not be reopened: the process is of no use any more.</summary>
    public Action<Exception> OnDead { get; init; } = error => Environment.FailFast("The state engine failed and could not be reopened.", error);

    /// <summary>Being a user makes nobody a member of the group Everyone.</summary>
    public bool EveryoneByHand { get; init; }

    /// <summary>Reads the state again after every few writes, and at the end, and compares it with what they made of the snapshot. For tests.</summary>
    public bool CheckSnapshot { get; init; }
}
