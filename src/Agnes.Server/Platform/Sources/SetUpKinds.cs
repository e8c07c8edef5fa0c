using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Sources;

/// <summary>
/// Which kinds' default connections are set up. Looked at anew after every change of the state, since whatever admins set is one, and
/// after a while, since files of the configuration change by themselves.
/// </summary>
internal sealed class SetUpKinds(ServerOptions options, SecretStore secrets, TimeProvider time)
{
    private static readonly TimeSpan GoodFor = TimeSpan.FromSeconds(2);
    private readonly Lock _gate = new();
    private readonly Dictionary<SourceKind, (bool Is, Snapshot Of, long Looked)> _known = []; // as many as there are kinds

    public bool Contains(Snapshot snapshot, SourceKind kind)
    {
        lock (_gate)
        {
            if (_known.TryGetValue(kind, out var known) && ReferenceEquals(known.Of, snapshot)
                && time.GetElapsedTime(known.Looked) < GoodFor)
                return known.Is;
            var now = kind.IsSetUp(options, secrets);
            _known[kind] = (now, snapshot, time.GetTimestamp());
            return now;
        }
    }
}
