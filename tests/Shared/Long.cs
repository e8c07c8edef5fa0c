using Xunit.v3;

namespace Agnes.Testing;

/// <summary>
/// Marks a test that takes too long for every change, and whose behaviour a shorter one holds too: more seeds, rows, versions or faults of the same kind, sizes,
/// waits. <c>AGNES_TESTS=all .ci/test</c> runs them (decision 0396). Rows of a theory are marked by <c>Traits = ["Runs", "long"]</c>.
/// </summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class)]
internal sealed class LongAttribute : Attribute, ITraitAttribute
{
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Runs", "long")];
}
