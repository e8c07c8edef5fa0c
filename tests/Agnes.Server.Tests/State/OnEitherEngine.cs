using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace Agnes.Server.Tests.State;

/// <summary>
/// For a theory whose syncs cost more than what differs between the engines: one of the rows of <see cref="OnBothEnginesAttribute"/>, chosen
/// by the test's name, so that about half of them run on each; both where AGNES_TESTS is 'all'.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OnEitherEngineAttribute : DataAttribute
{
    private static readonly bool All = Environment.GetEnvironmentVariable("AGNES_TESTS") == "all";

    public override async ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker)
    {
        var rows = await new OnBothEnginesAttribute().GetData(testMethod, disposalTracker);
        if (All) return rows;
        var chosen = rows.ElementAt(testMethod.Name.Sum(letter => letter) % rows.Count); // the same in every process, which a string's hash is not
        return [chosen.Skip is null ? chosen : rows.First()];
    }

    public override bool SupportsDiscoveryEnumeration() => true;
}
