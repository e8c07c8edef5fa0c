using Spectre.Console;

namespace Agnes.Cli.Output;

/// <summary>A bar for each file under way, on a terminal.</summary>
internal sealed class BarProgress : IPullProgress
{
    private const int LabelCharactersMax = 40;

    public async Task<IPullDisplay> BeginAsync(int files, long bytes)
    {
        var ready = new TaskCompletionSource<ProgressContext>(TaskCreationOptions.RunContinuationsAsynchronously);
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        var run = console.Progress().AutoClear(true).HideCompleted(files > 1)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                ready.SetResult(context);
                await end.Task;
            });
        return new Display(await ready.Task, end, run);
    }

    private sealed class Display(ProgressContext context, TaskCompletionSource end, Task run) : IPullDisplay
    {
        public IFileProgress Start(string label, long bytes) =>
            new Bar(context.AddTask(Markup.Escape(DisplayText.Cut(DisplayText.OneLine(label), LabelCharactersMax)), maxValue: Math.Max(1, bytes)));

        public async ValueTask DisposeAsync()
        {
            end.SetResult();
            await run;
        }
    }

    private sealed class Bar(ProgressTask task) : IFileProgress
    {
        public void Add(long bytes) => task.Increment(bytes);

        public void Finish()
        {
            task.Value = task.MaxValue;
            task.StopTask();
        }

        public void Fail() => task.StopTask();
    }
}
