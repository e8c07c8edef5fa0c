using Dapper;
using DuckDB.NET.Data;

namespace Agnes.Server.Platform.State.Engines;

/// <summary>Recognises a file of another program under our name, before anything in it is touched.</summary>
internal static class ForeignState
{
    /// <summary>Looks into a file that carries no mark of ours, read-only.</summary>
    public static void Refuse(StateFiles files)
    {
        var text = new System.Data.Common.DbConnectionStringBuilder { ["Data Source"] = files.Main, ["access_mode"] = "READ_ONLY" }.ConnectionString;
        try
        {
            using var connection = new DuckDBConnection(text);
            connection.Open();
            var tables = connection.Query<string>("SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'");
            Refuse(tables.ToHashSet(StringComparer.Ordinal), files.Main);
        }
        catch (DuckDBException error)
        {
            throw new StateRefusedException($"{files.Main} cannot be opened: {error.Message} Nothing was changed. Restore the newest backup: {StateFiles.RestoreCommand}", error);
        }
    }

    public static void Refuse(IReadOnlySet<string> tables, string path)
    {
        if (tables.Count == 0 || tables.Contains("migrations")) return;
        var what = tables.Contains("schema_version") ? "the state of an existing installation of another version (table schema_version)" : "not a state of agnes-server";
        throw new StateRefusedException(
            $"{path} is {what}. Nothing was changed. Move its folder away and import it into a new one: agnes-server import --from {Path.GetDirectoryName(path)}");
    }
}
