namespace Agnes.Server.Features.Users.Pages;

/// <summary>A group that the person belongs to, and what it opens.</summary>
public sealed record ProfileGroup(string Name, IReadOnlyList<string> Origins, DateTime? Since, IReadOnlyList<ProfileTable> Tables, int TablesTotal);

public sealed record ProfileTable(string Name, string Href);

public sealed record ProfileModel(string Email, string? Name, bool IsAdmin, DateTime? Since, bool HasPassword, IReadOnlyList<ProfileGroup> Groups);
