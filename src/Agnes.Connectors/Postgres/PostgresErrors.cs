using Agnes.Engine.Query.Remote;
using Npgsql;

namespace Agnes.Connectors.Postgres;

/// <summary>
/// Failures of a PostgreSQL in words of ours: what it says names tables, columns and values that an asker may not know of.
/// </summary>
internal static class PostgresErrors
{
    /// <summary>The way to it, its resources, and its operator's hand: classes 08, 53, 57P and 58.</summary>
    private static readonly string[] PassingStates = ["08", "53", "57P", "58"];

    private const string Forbidden = "42501";

    public static string MayNotRead(string connection) =>
        $"'{connection}' may not read the table there. Ask an admin to look at the connection.";

    public static RemoteException Of(Exception failure, string connection) => failure switch
    {
        RemoteException known => known,
        PostgresException { SqlState: var state } refused => OfState(state, connection, refused),
        _ => new RemoteException(RemoteFault.System, $"'{connection}' cannot be reached. Ask an admin to look at the connection.", failure)
        {
            IsPassing = true,
        },
    };

    /// <summary>By the class of what went wrong (Appendix A of PostgreSQL's manual).</summary>
    private static RemoteException OfState(string state, string connection, PostgresException failure)
    {
        var (fault, message) = state switch
        {
            "22012" => (RemoteFault.Question, "A number is divided by zero there. Write x / NULLIF(y, 0)."),
            "22003" => (RemoteFault.Question, "A number is out of range there. Cast it to a larger type before it is used."),
            "22001" or "22007" or "22008" or "22P02" =>
                (RemoteFault.Question, "A value does not fit what it is used as there. Cast it, or leave such rows out."),
            "21000" => (RemoteFault.Question, "A query in brackets returned more than one row there."),
            "42803" => (RemoteFault.Question, "A column must be in GROUP BY or in an aggregate there."),
            "42P10" => (RemoteFault.Question, "ORDER BY and DISTINCT do not fit each other there: sort by what is selected."),
            Forbidden => (RemoteFault.System, MayNotRead(connection)),
            "42P01" or "42703" or "3F000" =>
                (RemoteFault.System,
                $"The table or one of its columns is no more at '{connection}'. Ask an admin to look at its registration."),
            "57014" => (RemoteFault.Question,
                $"'{connection}' ended the query, since it took longer than is allowed there. Filter or aggregate more."),
            "53200" or "53100" or "54001" =>
                (RemoteFault.Question, $"The query needs more than '{connection}' has. Filter or aggregate more."),
            "28P01" or "28000" or "3D000" =>
                (RemoteFault.System, $"'{connection}' cannot sign in. Ask an admin to look at the connection."),
            _ when state.StartsWith("42", StringComparison.Ordinal) =>
                (RemoteFault.Question,
                "The query is not understood there: types that do not fit each other, most likely. Cast them, or write it otherwise."),
            _ when state.StartsWith("22", StringComparison.Ordinal) =>
                (RemoteFault.Question, "A value in the query cannot be worked with there. Cast it, or leave such rows out."),
            _ => (RemoteFault.System,
                $"'{connection}' could not answer (SQLSTATE {state}). Try again, or ask an admin to look at the connection."),
        };
        return new RemoteException(fault, message, failure)
        {
            IsPassing = PassingStates.Any(of => state.StartsWith(of, StringComparison.Ordinal)),
            IsForbidden = state == Forbidden,
        };
    }
}
