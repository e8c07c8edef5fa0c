using System.CommandLine;

namespace Agnes.Cli.Commands.Admin;

/// <summary><c>agnes admin</c>: users, groups, grants, tables, syncs. The server lets members of its Admin group in, nobody else.</summary>
internal static class AdminCommand
{
    public static Command Build(Host host)
    {
        var admin = new AgnesCommand(
            "admin",
            "Administers the server: users, groups and grants, tables, syncs. For members of the Admin group.",
            "agnes admin register-table orders --source-type csv --source-table orders.csv --description 'One row per order'",
            "agnes admin grant create analysts table orders",
            "agnes admin sync trigger --watch");
        foreach (var command in UserCommands.Build(host)) admin.Add(command);
        admin.Add(GroupCommands.Build(host));
        admin.Add(GrantCommands.Build(host));
        admin.Add(AccessCommands.Build(host));
        admin.Add(GrantCommands.Explain(host, "explain-access"));
        admin.Add(TokenCommands.Build(host));
        admin.Add(AuditCommands.Build(host));
        foreach (var command in ConfigCommands.Build(host)) admin.Add(command);
        foreach (var command in TableCommands.Build(host)) admin.Add(command);
        admin.Add(ConnectionCommands.Build(host));
        admin.Add(EventCommands.Build(host));
        admin.Add(JiraCommands.Build(host));
        admin.Add(RegisterFilesCommand.Build(host));
        admin.Add(DiscoverCommand.Build(host));
        foreach (var command in MetadataCommands.Build(host)) admin.Add(command);
        admin.Add(SyncCommands.Build(host));
        admin.Add(MetricCommands.Build(host));
        admin.Add(VerifiedQueryCommands.Build(host));
        admin.Add(BreakGlassCommand.Build(host));
        return admin;
    }
}
