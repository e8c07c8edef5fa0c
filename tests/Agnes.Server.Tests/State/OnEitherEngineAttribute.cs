using System.Reflection;
using Agnes.Server.Platform.State;
using Agnes.Testing;
using Xunit.Sdk;
using Xunit.v3;

namespace Agnes.Server.Tests.State;

/// <summary>
/// Runs a theory on one of the engines, chosen by its name, so that about half of a feature's tests run on each; on both where AGNES_TEST_ENGINES is 'all'. What tests the
/// state itself, or who may do what, runs on both always: see <see cref="OnBothEnginesAttribute"/>.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OnEitherEngineAttribute : DataAttribute
{
    private static readonly bool All = Environment.GetEnvironmentVariable("AGNES_TEST_ENGINES") == "all";

    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker)
    {
        if (All) return new OnBothEnginesAttribute().GetData(testMethod, disposalTracker);
        var letters = testMethod.Name.Sum(letter => letter); // the same in every process, which a string's hash is not
        var engine = letters % 2 == 0 || Postgres.Binaries is null ? StateEngine.DuckDb : StateEngine.Postgres;
        return ValueTask.FromResult<IReadOnlyCollection<ITheoryDataRow>>([new TheoryDataRow<StateEngine>(engine)]);
    }

    public override bool SupportsDiscoveryEnumeration() => true;
}
