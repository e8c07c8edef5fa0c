using System.Collections.Concurrent;
using System.Globalization;
using Agnes.Cli.Settings;

namespace Agnes.Cli.Output;

/// <summary>What a pull tells while it downloads.</summary>
internal interface IPullProgress
{
    Task<IPullDisplay> BeginAsync(int files, long bytes);
}

internal interface IPullDisplay : IAsyncDisposable
{
    IFileProgress Start(string label, long bytes);
}

internal interface IFileProgress
{
    void Add(long bytes);

    void Finish();

    void Fail();
}

internal static class PullProgress
{
    public static IPullProgress For(Host host, bool isShown) => !isShown ? new SilentProgress() : host.ErrorIsTerminal ? new BarProgress() : new LineProgress(host);
}

internal sealed class SilentProgress : IPullProgress, IPullDisplay, IFileProgress
{
    public Task<IPullDisplay> BeginAsync(int files, long bytes) => Task.FromResult<IPullDisplay>(this);

    public IFileProgress Start(string label, long bytes) => this;

    public void Add(long bytes)
    {
        // Silent.
    }

    public void Finish()
    {
        // Silent.
    }

    public void Fail()
    {
        // Silent.
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>
/// Plain lines, for logs and agents: every tenth of a file or every interval, and one at its end. Where files are many, only every interval and every
/// tenth of them, because an agent reads each line.
/// </summary>
internal sealed class LineProgress(Host host) : IPullProgress
{
    private const int ManyFiles = 20;

    public Task<IPullDisplay> BeginAsync(int files, long bytes) => Task.FromResult<IPullDisplay>(new Display(host, files));

    private sealed class Display(Host host, int files) : IPullDisplay
    {
        private readonly Lock _gate = new();
        private readonly bool _isMany = files > ManyFiles;
        private int _finished;
        private int _toldFinished;
        private long _toldAt = host.Clock.GetTimestamp();

        private TimeProvider Clock => host.Clock;

        public IFileProgress Start(string label, long bytes) => new Line(this, DisplayText.OneLine(label), bytes);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private void Tell(bool isFinished, Line line)
        {
            lock (_gate)
            {
                if (isFinished) _finished++;
                if (_isMany && !IsWorthALine()) return;
                _toldFinished = _finished;
                _toldAt = Clock.GetTimestamp();
                host.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"[{_finished}/{files} files] {line}"));
            }
        }

        private bool IsWorthALine() =>
            _finished == files || (_finished - _toldFinished) * 10 >= files || Clock.GetElapsedTime(_toldAt) >= EnvironmentNumbers.ProgressInterval;

        private sealed class Line(Display display, string label, long bytes) : IFileProgress
        {
            private readonly long _started = display.Clock.GetTimestamp();
            private readonly Lock _own = new();
            private long _done;
            private long _toldBytes;
            private long _toldAt = display.Clock.GetTimestamp();

            public void Add(long count)
            {
                lock (_own)
                {
                    _done += count;
                    var isTenth = bytes > 0 && (_done - _toldBytes) * 10 >= bytes;
                    var isInterval = _done - _toldBytes >= EnvironmentNumbers.ProgressIntervalBytes && display.Clock.GetElapsedTime(_toldAt) >= EnvironmentNumbers.ProgressInterval;
                    if (!isTenth && !isInterval) return;
                    _toldBytes = _done;
                    _toldAt = display.Clock.GetTimestamp();
                }

                if (bytes <= 0 || _done < bytes) display.Tell(isFinished: false, this);
            }

            public void Finish() => display.Tell(isFinished: true, this);

            public void Fail()
            {
                // The error is told once, at the end; a failed file must not look finished.
            }

            public override string ToString()
            {
                var seconds = Math.Max(0.001, display.Clock.GetElapsedTime(_started).TotalSeconds);
                var percent = bytes > 0 ? Math.Clamp(_done * 100 / bytes, 0, 100).ToString(CultureInfo.InvariantCulture) : "?";
                return $"{label}: {percent}% ({Columns.Bytes(_done)} / {(bytes > 0 ? Columns.Bytes(bytes) : "?")}) at {Columns.Bytes((long)(_done / seconds))}/s";
            }
        }
    }
}
