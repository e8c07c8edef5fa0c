namespace Agnes.Testing;

/// <summary>A folder of a test's own, removed with everything in it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private const int AttemptsMax = 20;
    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromMilliseconds(100);

    public TemporaryFolder() => Path = Directory.CreateTempSubdirectory("agnes-test-").FullName;

    public string Path { get; }

    public string this[params string[] parts] => System.IO.Path.Combine([Path, .. parts]);

    /// <summary>A child of a killed server may still write for a moment, until it notices.</summary>
    public void Dispose()
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                Directory.Delete(Path, recursive: true);
                return;
            }
            catch (DirectoryNotFoundException)
            {
                return; // a test may have removed it itself
            }
            catch (IOException) when (attempt < AttemptsMax)
            {
                Task.Delay(BetweenAttempts).GetAwaiter().GetResult();
            }
        }
    }
}
