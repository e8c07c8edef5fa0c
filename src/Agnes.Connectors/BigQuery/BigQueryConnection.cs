namespace Agnes.Connectors.BigQuery;

/// <summary>Where a connection to BigQuery leads, and as whom.</summary>
/// <param name="Name">Ours; every job is labelled with it.</param>
/// <param name="BillingProject">Where jobs run, and who pays for them.</param>
/// <param name="DataProject">Where tables are, when their name does not say.</param>
public sealed record BigQueryConnection(string Name, string BillingProject, string DataProject)
{
    /// <summary>The key of a service account, or what a person's sign-in has left, as JSON. A secret.</summary>
    public string? KeyJson { get; init; }

    /// <summary>
    /// A file with the same. Null, as <see cref="KeyJson"/>: the machine's own credentials, and after them what
    /// <see cref="DefaultKeyFile"/> names.
    /// </summary>
    public string? KeyFile { get; init; }

    /// <summary>Google's application default credentials: the file of <c>GOOGLE_APPLICATION_CREDENTIALS</c>, or that of gcloud.</summary>
    public string? DefaultKeyFile { get; init; }

    /// <summary>Where jobs run, e.g. <c>EU</c>; null: where BigQuery finds the tables.</summary>
    public string? Location { get; init; }

    /// <summary>Without <c>/bigquery/v2</c>.</summary>
    public Uri Service { get; init; } = new("https://bigquery.googleapis.com");

    /// <summary>
    /// Where assertions and refresh tokens are exchanged. A key file's own word for it is not followed: whoever writes one could have
    /// tokens sent anywhere.
    /// </summary>
    public Uri TokenService { get; init; } = new("https://oauth2.googleapis.com/token");

    public Uri MetadataService { get; init; } = new("http://metadata.google.internal");

    public BigQueryLimits Limits { get; init; } = new();

    /// <summary>Without what must not be shown.</summary>
    public override string ToString() => $"{Name} (billing {BillingProject}, data {DataProject})";
}

/// <summary>Bounds of what is asked of BigQuery.</summary>
public sealed record BigQueryLimits
{
    /// <summary>For one call and its answer, but for pages of rows.</summary>
    public TimeSpan CallTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a call for a result waits at BigQuery for it.</summary>
    public TimeSpan WaitTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A page of rows of which nothing comes for so long is asked for once more.</summary>
    public TimeSpan StallTime { get; init; } = TimeSpan.FromSeconds(900);

    /// <summary>Tries after the first; Google's clients have about as many in their time.</summary>
    public int RetriesMax { get; init; } = 5;

    /// <summary>Google documents 1 s, doubled to 32 s.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan PauseMax { get; init; } = TimeSpan.FromSeconds(32);

    /// <summary>
    /// Jobs after the first, when one failed at BigQuery through no fault of its statement. One that failed is not billed.
    /// </summary>
    public int JobRetriesMax { get; init; } = 2;

    /// <summary>For a job that nobody waits for any more to be cancelled.</summary>
    public TimeSpan CancelTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>BigQuery also ends a page at about 10 MB.</summary>
    public int PageRowsMax { get; init; } = 50_000;

    /// <summary>What one row may take of memory; BigQuery's own limit is 100 MB.</summary>
    public int RowBytesMax { get; init; } = 128 << 20;

    /// <summary>Data sets of a project, or tables of one.</summary>
    public int ListedMax { get; init; } = 100_000;
}
