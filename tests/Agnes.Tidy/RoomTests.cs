namespace Agnes.Tidy;

/// <summary>Rooms inside the projects: which there are, and which may use which. Lists of what is not yet so may only shrink.</summary>
public sealed class RoomTests
{
    private const string Server = "agnes-server";
    private const string Platform = "Agnes.Server.Platform";
    private const string Features = "Agnes.Server.Features";

    /// <summary>The platform's rooms, lowest first: each may use those before it.</summary>
    private static readonly string[] PlatformRooms = ["State", "Config", "Audit", "Http", "Access", "Identity", "Serving", "Jobs", "Sources", "Publications", "Registry"];

    /// <summary>Uses against the order above that are left.</summary>
    private static readonly string[] Upward = [];

    /// <summary>Features that use another one, which somebody who takes that one away would meet.</summary>
    private static readonly string[] FeatureEdges =
    [
        "Catalog → ColumnMetadata",
        "Demo → ColumnMetadata", "Demo → Metrics", "Demo → Sync", "Demo → Tokens", "Demo → VerifiedQueries",
        "Distribution → Prompts",
        "Home → Catalog", "Home → Sync",
        "Metrics → Catalog", "Metrics → VerifiedQueries",
        "Profiles → Metrics",
        "Prompts → Metrics",
        "Tables → Catalog",
        "Tokens → Home",
        "Users → Catalog", "Users → SignIn",
        "VerifiedQueries → Metrics", "VerifiedQueries → Query",
    ];

    /// <summary>Rooms of other projects that use each other in a circle.</summary>
    private static readonly Dictionary<(string Assembly, string Root), string[]> Circles = new()
    {
        [("Agnes.Engine", "Agnes.Engine")] = [],
        [("Agnes.Connectors", "Agnes.Connectors")] = [],
        // An upload takes a file of one type only, which decides what may leave.
        [("agnes", "Agnes.Cli")] = ["Api → Sessions", "Sessions → Api", "Sessions → Workspace", "Workspace → Api"],
    };

    [Fact]
    public void The_platform_has_these_rooms_and_no_others() =>
        Compiled.Uses.Where(use => use.Assembly == Server).Select(use => Compiled.Room(use.Namespace, Platform)).OfType<string>().Distinct()
            .ShouldBe(PlatformRooms, ignoreOrder: true);

    [Fact]
    public void The_platform_knows_no_feature_and_no_page()
    {
        var knowing =
            from use in Compiled.Uses
            where use.Assembly == Server && use.Kind == UseKind.Type && use.Namespace.StartsWith($"{Platform}.", StringComparison.Ordinal)
            where use.UsedNamespace.StartsWith($"{Features}.", StringComparison.Ordinal) || use.UsedNamespace.StartsWith("Agnes.Server.Web", StringComparison.Ordinal)
            select $"{use.Place} → {use.UsedNamespace}.{use.Used}";
        knowing.ShouldBeEmpty();
    }

    [Fact]
    public void A_room_of_the_platform_uses_only_those_below_it()
    {
        var upward =
            from edge in Compiled.Edges(Server, Platform)
            where Array.IndexOf(PlatformRooms, edge.To) > Array.IndexOf(PlatformRooms, edge.From)
            select (Edge: $"{edge.From} → {edge.To}", edge.Example);
        ShouldBeListed(upward, Upward);
    }

    [Fact]
    public void Features_use_one_another_only_as_listed() =>
        ShouldBeListed(Compiled.Edges(Server, Features).Select(edge => ($"{edge.From} → {edge.To}", edge.Example)), FeatureEdges);

    [Fact]
    public void Rooms_of_a_project_stand_in_no_circle()
    {
        foreach (var ((assembly, root), listed) in Circles) ShouldBeListed(InCircles(Compiled.Edges(assembly, root)), listed);
    }

    private static IEnumerable<(string Edge, string Example)> InCircles(IEnumerable<(string From, string To, string Example)> found)
    {
        var edges = found.ToList();
        var next = edges.ToLookup(edge => edge.From, edge => edge.To, StringComparer.Ordinal);
        return edges.Where(edge => Reaches(edge.To, edge.From)).Select(edge => ($"{edge.From} → {edge.To}", edge.Example));

        bool Reaches(string from, string to)
        {
            var seen = new HashSet<string>(StringComparer.Ordinal) { from };
            var open = new Stack<string>(seen);
            while (open.TryPop(out var room))
            {
                if (room == to) return true;
                foreach (var one in next[room].Where(seen.Add)) open.Push(one);
            }

            return false;
        }
    }

    private static void ShouldBeListed(IEnumerable<(string Edge, string Example)> found, string[] listed)
    {
        var all = found.ToList();
        all.Where(edge => !listed.Contains(edge.Edge, StringComparer.Ordinal)).Select(edge => $"{edge.Edge}: {edge.Example}").ShouldBeEmpty("new: turn it round, or move what both need below them");
        listed.Except(all.Select(edge => edge.Edge), StringComparer.Ordinal).ShouldBeEmpty("gone: take it out of the list");
    }
}
