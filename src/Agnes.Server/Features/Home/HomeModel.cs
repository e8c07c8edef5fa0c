using Agnes.Server.Features.Catalog.Pages;
using Agnes.Server.Features.Sync.Pages;

namespace Agnes.Server.Features.Home;

/// <summary>What a person sees first: what they have, whether it is fresh, how to work with it.</summary>
public sealed record HomeModel(string Greeting, TableTotals Totals, IReadOnlyList<CatalogEntry> Attention, IReadOnlyList<CatalogEntry> Recent, IReadOnlyList<ConnectStep> Steps)
{
    public bool IsAdmin { get; init; }

    /// <summary>For admins.</summary>
    public IReadOnlyList<SyncRun> Runs { get; init; } = [];
}

/// <summary>Over the tables that the person may read.</summary>
public sealed record TableTotals(int Tables, long Rows, long Bytes, int Fresh);

/// <summary>One of the commands that connect a laptop.</summary>
public sealed record ConnectStep(string Text, string Command, string What);
