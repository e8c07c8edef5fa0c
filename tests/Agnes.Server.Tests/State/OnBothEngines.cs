using System.Reflection;
using Agnes.Server.Platform.State;
using Agnes.Testing;
using Xunit.Sdk;
using Xunit.v3;

namespace Agnes.Server.Tests.State;

/// <summary>Runs a theory on both engines; on DuckDB alone where PostgreSQL is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OnBothEnginesAttribute : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker)
    {
        var rows = new List<ITheoryDataRow> { new TheoryDataRow<StateEngine>(StateEngine.DuckDb) };
        rows.Add(new TheoryDataRow<StateEngine>(StateEngine.Postgres) { Skip = Postgres.Binaries is null ? "PostgreSQL is not installed." : null });
        return ValueTask.FromResult<IReadOnlyCollection<ITheoryDataRow>>(rows);
    }

    public override bool SupportsDiscoveryEnumeration() => true;
}
