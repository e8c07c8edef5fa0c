using System.Collections.Concurrent;
using System.Reflection;

[assembly: Agnes.Testing.HangWatch]

namespace Agnes.Testing;

/// <summary>Names and ends a test that hangs: the test platform's own time limit does not stop a synchronous hang.</summary>
[AttributeUsage(AttributeTargets.Assembly)]
internal sealed class HangWatchAttribute : Xunit.v3.BeforeAfterTestAttribute
{
    private const int TestSecondsMax = 180;
    private static readonly ConcurrentDictionary<string, long> Running = new(StringComparer.Ordinal);
    private static readonly Timer Watch = new(_ => Check(), null, 1000, 1000);

    public override void Before(MethodInfo methodUnderTest, Xunit.v3.IXunitTest test) => Running[test.TestDisplayName] = Environment.TickCount64;

    public override void After(MethodInfo methodUnderTest, Xunit.v3.IXunitTest test) => Running.TryRemove(test.TestDisplayName, out _);

    private static void Check()
    {
        GC.KeepAlive(Watch);
        foreach (var (name, started) in Running)
        {
            if (Environment.TickCount64 - started <= TestSecondsMax * 1000) continue;
            Console.Error.WriteLine($"Hung for more than {TestSecondsMax} s: {name}");
            Environment.Exit(70);
        }
    }
}
