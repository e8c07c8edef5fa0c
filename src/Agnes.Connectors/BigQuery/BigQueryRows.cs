using System.Diagnostics;

namespace Agnes.Connectors.BigQuery;

/// <summary>Rows that are at BigQuery until they are read: an answer's, or a table's own.</summary>
public sealed class BigQueryRows
{
    private readonly BigQueryConnection _connection;
    private readonly BigQueryCalls _calls;
    private readonly StatementAuthor _author;
    private readonly string _path;

    /// <param name="path">Of their pages, with a query string that more can be added to.</param>
    internal BigQueryRows(
        BigQueryConnection connection, BigQueryCalls calls, string path, IReadOnlyList<BigQueryField> columns, StatementAuthor author) =>
        (_connection, _calls, _path, Columns, _author) = (connection, calls, path, columns, author);

    public IReadOnlyList<BigQueryField> Columns { get; }

    /// <summary>
    /// Reads the rows, page by page, in bounded memory. A page that breaks off is asked for again, and no row is given twice.
    /// </summary>
    /// <param name="rowsMax">Pages after these are not asked for.</param>
    /// <returns>Rows that were given.</returns>
    /// <exception cref="BigQueryException"/>
    public async Task<long> ReadAsync(IRowSink sink, long rowsMax, CancellationToken cancellation)
    {
        using var decoder = new RowDecoder(Columns, sink);
        var progress = new Progress(decoder, rowsMax);
        var pipeline = _calls.Again(_connection.Limits.RetriesMax, failure => failure is BigQueryException { IsForNow: true });
        while (progress.IsWanted)
        {
            await pipeline.ExecuteAsync(async token => await PageAsync(progress, token), cancellation);
        }

        return progress.Given;
    }

    private async Task PageAsync(Progress progress, CancellationToken cancellation)
    {
        var count = Math.Min(progress.Missing, _connection.Limits.PageRowsMax);
        var token = progress.Token is null ? "" : $"&pageToken={Uri.EscapeDataString(progress.Token)}";
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        stall.CancelAfter(_connection.Limits.StallTime);
        try
        {
            using var answer = await _calls.SendAsync(HttpMethod.Get, $"{_path}&maxResults={count}{token}", null, _author, stall.Token);
            await using var body = await answer.Content.ReadAsStreamAsync(stall.Token);
            using var page = new PageReader(_connection.Limits.RowBytesMax);
            progress.Begin();
            await page.ReadAsync(
                async buffer =>
                {
                    // What came is progress; the time that rows take here is none of BigQuery's.
                    stall.CancelAfter(_connection.Limits.StallTime);
                    return await body.ReadAsync(buffer, stall.Token);
                },
                progress.Take);
            if (page.IsComplete == false) throw BigQueryErrors.Unreachable(new InvalidDataException("The job is not complete any more."));
            progress.End(page.PageToken);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw progress.Stalled(_connection.Limits.StallTime);
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException)
        {
            throw BigQueryErrors.Unreachable(broken);
        }
    }

    /// <summary>How far the rows are, over all tries.</summary>
    private sealed class Progress(RowDecoder decoder, long rowsMax)
    {
        private long _pageStart;
        private long _seen;
        private bool _isEnd;
        private bool _hasStalled;

        public long Given { get; private set; }

        public string? Token { get; private set; }

        /// <summary>Rows from the page's start to what is wanted.</summary>
        public long Missing => Math.Max(1, rowsMax - _pageStart);

        public bool IsWanted => !_isEnd && Given < rowsMax;

        public void Begin() => _seen = _pageStart;

        public void Take(ReadOnlySpan<byte> row)
        {
            Debug.Assert(Given <= rowsMax, "No row is given beyond what was asked for.");
            if (_seen++ < Given || Given >= rowsMax) return; // it was given before the page broke off
            decoder.Row(row);
            Given++;
        }

        public void End(string? next)
        {
            if (next is not null && _seen == _pageStart) throw BigQueryErrors.NotUnderstood("a page has no rows and is not the last");
            (_pageStart, Token, _isEnd, _hasStalled) = (_seen, next, next is null, false);
        }

        /// <summary>A page that stalls is asked for once more, not five times.</summary>
        public BigQueryException Stalled(TimeSpan time)
        {
            var failure = BigQueryErrors.TooSlow(time);
            if (!_hasStalled)
            {
                _hasStalled = true;
                return failure;
            }

            return new BigQueryException(failure.Fault, failure.Message);
        }
    }
}
