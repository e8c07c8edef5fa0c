using Agnes.Engine.Query.Remote;
using MySqlConnector;

namespace Agnes.Connectors.MySql;

/// <summary>Failures of a MySQL in words of ours: its own could name what a reader may not know of.</summary>
internal static class MySqlErrors
{
    public static RemoteException Of(Exception failure, string connection) => failure is not MySqlException { ErrorCode: var code } known
        ? Unreachable(failure, connection)
        : code switch
        {
            MySqlErrorCode.AccessDenied or MySqlErrorCode.DatabaseAccessDenied or MySqlErrorCode.UnknownDatabase =>
                System($"'{connection}' cannot sign in. Look at user, password and database of the connection.", known),
            MySqlErrorCode.TableAccessDenied or MySqlErrorCode.ColumnAccessDenied =>
                System($"The user of '{connection}' may not read the table: GRANT SELECT on it there.", known),
            MySqlErrorCode.NoSuchTable or MySqlErrorCode.BadFieldError =>
                System($"The table or one of its columns is no more at '{connection}'. Look at its registration.", known),
            MySqlErrorCode.QueryInterrupted or MySqlErrorCode.QueryTimeout =>
                System($"'{connection}' ended the statement, since it took longer than is allowed there.", known),
            MySqlErrorCode.UnableToConnectToHost or MySqlErrorCode.None or MySqlErrorCode.CommandTimeoutExpired => Unreachable(known, connection),
            _ when known.IsTransient => Unreachable(known, connection),
            _ => System($"'{connection}' could not answer (error {(int)code}). Try again, or look at the connection.", known),
        };

    private static RemoteException System(string message, Exception inner) => new(RemoteFault.System, message, inner);

    private static RemoteException Unreachable(Exception inner, string connection) =>
        new(RemoteFault.System, $"'{connection}' cannot be reached, or the connection to it broke. Look at the connection.", inner) { IsPassing = true };
}
