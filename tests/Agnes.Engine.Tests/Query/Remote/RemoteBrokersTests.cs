using System.Diagnostics;
using System.Globalization;
using Agnes.Engine.Limits;
using Agnes.Engine.Query.Remote;
using Agnes.Engine.Query.Remote.Brokers;
using Agnes.Testing;

namespace Agnes.Engine.Tests.Query.Remote;

/// <summary>Connections to other systems in processes of their own.</summary>
public sealed class RemoteBrokersTests : IAsyncDisposable
{
    private const string Password = "correct horse battery staple";
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;
    private readonly TemporaryFolder _folder = new();
    private readonly RemoteBrokers _brokers;

    public RemoteBrokersTests() => _brokers = BrokersOf(2);

    public async ValueTask DisposeAsync()
    {
        await _brokers.DisposeAsync();
        Directory.EnumerateDirectories(_folder["scratch"]).ShouldBeEmpty("what a broker wrote ends with it");
        _folder.Dispose();
    }

    [Fact]
    public async Task Its_process_is_one_for_many_questions_and_is_told_its_secrets_by_pipe()
    {
        var shop = Open("shop");
        var processes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => ProcessOfAsync(shop)));
        processes.Distinct().ShouldHaveSingleItem().ShouldNotBe(Environment.ProcessId);
        (await shop.DescribeAsync("told", Stop)).Columns.Single().ShouldBe(new(Password, "by pipe"));
        (await shop.EstimateAsync(Question("SELECT 1", 1), Stop)).ScanBytes.ShouldBe(8);
    }

    [Fact]
    public async Task An_answer_is_there_when_it_is_whole_and_in_no_other_folder_can_it_write_or_read()
    {
        var shop = Open("shop");
        await shop.AnswerAsync(Question("x", 200_000), _folder["answer"], Stop);
        AnswerFiles.In(_folder["answer"]).Count.ShouldBeGreaterThan(1);

        await File.WriteAllTextAsync(_folder["secret"], "of the server", Stop);
        (await Should.ThrowAsync<RemoteException>(() => shop.DescribeAsync($"read {_folder["secret"]}", Stop)))
            .Message.ShouldBe("'shop' could not be asked. Ask an admin to look at the connection.");
    }

    [Fact]
    public async Task One_that_ends_in_the_middle_is_replaced_and_its_questions_are_told()
    {
        var shop = Open("shop");
        var first = await ProcessOfAsync(shop);
        var beside = shop.DescribeAsync("wait", Stop);
        foreach (var fatal in (string[])["crash", "swell"])
        {
            var told = await Should.ThrowAsync<RemoteException>(() => shop.DescribeAsync(fatal, Stop));
            told.Message.ShouldContain(fatal == "swell" ? "more memory" : "has ended in the middle of it. Ask again.");
        }

        (await Should.ThrowAsync<RemoteException>(() => beside)).Fault.ShouldBe(RemoteFault.System);
        (await ProcessOfAsync(shop)).ShouldNotBe(first);
    }

    [Fact]
    public async Task A_question_ends_there_when_its_token_fires_and_a_broker_that_does_not_let_go_ends()
    {
        var shop = Open("shop");
        var first = await ProcessOfAsync(shop);
        await CancelledAsync(shop.DescribeAsync("wait", After(200)));
        (await ProcessOfAsync(shop)).ShouldBe(first);

        var started = Stopwatch.GetTimestamp();
        await CancelledAsync(shop.DescribeAsync("hang", After(200)));
        Stopwatch.GetElapsedTime(started).ShouldBeLessThan(MachineLoad.Allow(TimeSpan.FromSeconds(30)));
        (await ProcessOfAsync(shop)).ShouldNotBe(first);
    }

    [Fact]
    public async Task A_question_that_ends_before_it_is_sent_costs_its_broker_nothing()
    {
        var shop = Open("shop");
        var first = await ProcessOfAsync(shop);
        var beside = shop.DescribeAsync("wait", After(1500));
        await CancelledAsync(shop.DescribeAsync("t", new CancellationToken(canceled: true)));
        (await ProcessOfAsync(shop)).ShouldBe(first);
        await CancelledAsync(beside);
    }

    [Fact]
    public async Task An_answer_that_nobody_waits_for_any_more_does_not_stay()
    {
        var shop = Open("shop");
        await ProcessOfAsync(shop);
        var asking = shop.AnswerAsync(Question("late", 10), _folder["late"], After(2000));
        await CancelledAsync(asking);
        Directory.Exists(_folder["late"]).ShouldBeFalse();
        Directory.EnumerateDirectories(_folder["scratch"], "late*", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_its_driver_says_does_not_leave_it()
    {
        var leaking = await Should.ThrowAsync<RemoteException>(() => Open("shop").DescribeAsync("leak", Stop));
        leaking.ToString().ShouldNotContain(Password);
        (await Should.ThrowAsync<RemoteException>(() => Open("away", "nowhere").DescribeAsync("t", Stop)))
            .Message.ShouldBe("There is no such place.");
        (await Should.ThrowAsync<RemoteException>(
            () => _brokers.Open("other", "a", new Dictionary<string, string>()).DescribeAsync("t", Stop)))
            .Message.ShouldContain("kind 'other'");
    }

    [Fact]
    public async Task One_that_nobody_asks_makes_way_and_so_many_run_at_once()
    {
        var shops = Enumerable.Range(0, 4).Select(i => Open($"shop{i}")).ToList();
        foreach (var shop in shops) await ProcessOfAsync(shop);
        _brokers.ProcessIds().Length.ShouldBe(2);
        foreach (var shop in shops) (await shop.DescribeAsync("t", Stop)).Columns.Single().Name.ShouldBe("t");
    }

    [Fact]
    public async Task It_ends_with_its_connection_and_with_the_server()
    {
        var shop = Open("shop");
        var process = await ProcessOfAsync(shop);
        var asking = shop.DescribeAsync("wait", Stop);
        await ((IAsyncDisposable)shop).DisposeAsync();
        (await Should.ThrowAsync<RemoteException>(() => asking)).Fault.ShouldBe(RemoteFault.System);
        Directory.Exists($"/proc/{process}").ShouldBeFalse();
        (await Should.ThrowAsync<RemoteException>(() => shop.DescribeAsync("t", Stop))).Message.ShouldContain("has been closed");

        var brokers = BrokersOf(1);
        var other = await ProcessOfAsync(brokers.Open("scripted", "b", Settings("")));
        await brokers.DisposeAsync();
        Directory.Exists($"/proc/{other}").ShouldBeFalse();
    }

    private RemoteBrokers BrokersOf(int count) =>
        new(new RemoteBrokerOptions(WorkerProgram.Default, new Scratch(_folder["scratch"]), count, 256L << 20), TimeProvider.System);

    private IRemoteTables Open(string name, string address = "") => _brokers.Open("scripted", name, Settings(address));

    private static Dictionary<string, string> Settings(string address) =>
        new(StringComparer.Ordinal) { ["password"] = Password, ["address"] = address };

    private static RemoteQuestion Question(string sql, long rows) => new(sql, [], rows, 1 << 30);

    private static async Task<int> ProcessOfAsync(IRemoteTables tables) =>
        int.Parse((await tables.DescribeAsync("process", Stop)).Columns.Single().Name, CultureInfo.InvariantCulture);

    private static CancellationToken After(int milliseconds) => new CancellationTokenSource(milliseconds).Token;

    private static async Task CancelledAsync(Task asking) => await Should.ThrowAsync<OperationCanceledException>(() => asking);
}
