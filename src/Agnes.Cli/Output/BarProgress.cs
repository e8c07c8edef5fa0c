using Spectre.Console;

namespace Agnes.Cli.Output;

/// <summary>A bar for each file under way, on a terminal.</summary>
internal sealed class BarProgress : IPullProgress
{
    private const int LabelCharactersMax = 40;

    public IPullDisplay Begin(int files, long bytes) => new Display(files);

    private sealed class Display : IPullDisplay
    {
        private readonly TaskCompletionSource<ProgressContext> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Task _run;

        public Display(int files)
        {
            var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
            _run = console.Progress().AutoClear(true).HideCompleted(files > 1)
                .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
                .StartAsync(async context =>
                {
                    _ready.SetResult(context);
                    await _end.Task;
                });
        }

        public IFileProgress Start(string label, long bytes) => new Bar(_ready.Task, Markup.Escape(DisplayText.Cut(DisplayText.OneLine(label), LabelCharactersMax)), bytes);

        public async ValueTask DisposeAsync()
        {
            _end.SetResult();
            await _run;
        }
    }

    private sealed class Bar : IFileProgress
    {
        private readonly Task<ProgressTask> _task;

        public Bar(Task<ProgressContext> ready, string label, long bytes) => _task = AddAsync(ready, label, bytes);

        public void Add(long bytes)
        {
            if (_task.IsCompletedSuccessfully) Shown(task => task.Increment(bytes));
        }

        public void Finish() => Shown(task =>
        {
            task.Value = task.MaxValue;
            task.StopTask();
        });

        public void Fail() => Shown(task => task.StopTask());

        private void Shown(Action<ProgressTask> change) => _task.ContinueWith(
            static (done, change) => ((Action<ProgressTask>)change!)(done.GetAwaiter().GetResult()), change, CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

        private static async Task<ProgressTask> AddAsync(Task<ProgressContext> ready, string label, long bytes) => (await ready).AddTask(label, maxValue: Math.Max(1, bytes));
    }
}
