using System.Globalization;
using Agnes.Engine.Query.Remote;
using Agnes.Engine.Query.Remote.Brokers;
using Agnes.Protocol;

namespace Agnes.Engine.Tests.Query.Remote;

/// <summary>A system that does what its questions say; it lives in a broker, where a test cannot reach it otherwise.</summary>
internal sealed class ScriptedSystem(RemoteOpening opening) : IRemoteTables, IDisposable
{
    private const int Block = 16 << 20;
    private readonly List<byte[]> _kept = [];

    public static RemoteEngine Engine { get; } = new("scripted", Open);

    public string Connection => opening.Connection;

    private static ScriptedSystem Open(RemoteOpening opening) => opening.Options.GetValueOrDefault("address") == "nowhere"
        ? throw new RemoteException(RemoteFault.System, "There is no such place.")
        : new ScriptedSystem(opening);

    public async Task<RemoteDescription> DescribeAsync(string relation, CancellationToken cancellation) =>
        new(await ColumnsAsync(relation, cancellation));

    private async Task<IReadOnlyList<TableColumn>> ColumnsAsync(string relation, CancellationToken cancellation)
    {
        var (what, rest) = relation.Split(' ', 2) is [var first, var second] ? (first, second) : (relation, "");
        switch (what)
        {
            case "process":
                return [new(Environment.ProcessId.ToString(CultureInfo.InvariantCulture), "VARCHAR")];
            case "told":
                var secret = opening.Options["password"];
                var said = Environment.GetCommandLineArgs().Concat(Environment.GetEnvironmentVariables().Values.Cast<string>());
                return [new(secret, said.Any(text => text.Contains(secret, StringComparison.Ordinal)) ? "said aloud" : "by pipe")];
            case "read":
                return [new((await File.ReadAllTextAsync(rest, cancellation)).Trim(), "VARCHAR")];
            case "crash":
                Environment.FailFast(null);
                return [];
            case "swell":
                while (true)
                {
                    _kept.Add(new byte[Block]);
                    Array.Fill(_kept[^1], (byte)1);
                }

            case "wait":
                await Task.Delay(Timeout.Infinite, cancellation);
                return [];
            case "hang":
                await Task.Delay(Timeout.Infinite, CancellationToken.None);
                return [];
            case "leak":
                throw new InvalidOperationException($"postgres://me:{opening.Options["password"]}@example.com");
            default:
                return [new(relation, "VARCHAR")];
        }
    }

    public Task<RemoteEstimate> EstimateAsync(RemoteQuestion question, CancellationToken cancellation) =>
        Task.FromResult(new RemoteEstimate(question.Sql.Length, null));

    public async Task AnswerAsync(RemoteQuestion question, string folder, CancellationToken cancellation)
    {
        await using var answer = await AnswerFiles.OpenAsync(
            folder, [new("n", "BIGINT"), new("text", "VARCHAR")], question.BytesMax, cancellation);
        var text = new string('x', 1000);
        for (long i = 0; i < question.RowsMax; i++)
        {
            answer.Integer(i);
            answer.Text($"{i * 7919}{text}");
            await answer.EndRowAsync(cancellation);
            cancellation.ThrowIfCancellationRequested();
        }

        await answer.CompleteAsync(cancellation);
        if (question.Sql == "late") await Task.Delay(Timeout.Infinite, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose() => _kept.Clear();
}
