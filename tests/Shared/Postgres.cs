namespace Agnes.Testing;

/// <summary>
/// The tests' PostgreSQL. Use: <c>[assembly: AssemblyFixture(typeof(Postgres))]</c>, then <see cref="NewDatabaseAsync"/>, which skips the test where PostgreSQL is not installed.
/// </summary>
public sealed class Postgres : IAsyncLifetime
{
    private readonly PostgresCluster _cluster = new();

    public static string? Binaries => PostgresCluster.Binaries;

    /// <inheritdoc cref="PostgresCluster.Address"/>
    public string Address => _cluster.Address;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <inheritdoc cref="PostgresCluster.NewDatabaseAsync"/>
    public Task<string> NewDatabaseAsync(string? like = null)
    {
        if (Binaries is null || OperatingSystem.IsWindows()) Assert.Skip("PostgreSQL is not installed.");
        return _cluster.NewDatabaseAsync(like);
    }

    /// <summary>Ends the server; the data stay, and the next database starts it again.</summary>
    public Task StopAsync() => _cluster.StopAsync();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();
}
