using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;

namespace Agnes.Server.Tests.Walls;

/// <summary>Lets writes wait, so that their order is the test's.</summary>
internal sealed class HeldGate
{
    private static readonly TimeSpan GiveUp = TimeSpan.FromSeconds(20);
    private readonly TaskCompletionSource _free = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly StateDb _state;
    private Task _held = Task.CompletedTask;

    private HeldGate(StateDb state) => _state = state;

    public static async Task<HeldGate> HoldAsync(TestServer server)
    {
        var gate = new HeldGate(server.State);
        var isHeld = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        gate._held = server.State.Gate.AloneAsync(
            async () =>
            {
                isHeld.SetResult();
                await gate._free.Task.WaitAsync(GiveUp);
                return true;
            },
            CancellationToken.None);
        await isHeld.Task.WaitAsync(GiveUp);
        return gate;
    }

    /// <summary>Until so many units wait, or the request is answered without.</summary>
    public async Task WaitForAsync(int units, Task answer)
    {
        using var late = new CancellationTokenSource(GiveUp);
        while (_state.Gate.Waiting < units && !answer.IsCompleted) await Task.Delay(1, late.Token);
    }

    public Task ReleaseAsync()
    {
        _free.TrySetResult();
        return _held;
    }
}
