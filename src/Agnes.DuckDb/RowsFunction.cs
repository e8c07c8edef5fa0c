using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DuckDB.NET.Data.Native;

namespace DuckDB.NET.Data;

/// <summary>A table function without parameters that yields rows of this program's memory.</summary>
internal static unsafe class RowsFunction
{
    private const string Gone = "The rows are gone.";

    internal static void Register(DuckDBConnection connection, string name, DuckDBRows rows)
    {
        var function = NativeMethods.duckdb_create_table_function();
        try
        {
            NativeMethods.duckdb_table_function_set_name(function, name);
            // The function is the engine's from here on; it says when nobody can call it any more.
            NativeMethods.duckdb_table_function_set_extra_info(function, GCHandle.ToIntPtr(GCHandle.Alloc(rows)), &Free);
            NativeMethods.duckdb_table_function_set_bind(function, &Bind);
            NativeMethods.duckdb_table_function_set_init(function, &Init);
            NativeMethods.duckdb_table_function_set_function(function, &Fill);
            if (NativeMethods.duckdb_register_table_function(connection.Handle, function) != 0)
                throw new DuckDBException($"The engine takes no function of the name '{name}'.", DuckDBErrorType.Catalog);
        }
        finally
        {
            NativeMethods.duckdb_destroy_table_function(ref function);
        }
    }

    private static DuckDBRows Of(nint extra) => (DuckDBRows)GCHandle.FromIntPtr(extra).Target!;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Free(nint extra) => GCHandle.FromIntPtr(extra).Free();

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Bind(nint info)
    {
        if (!Of(NativeMethods.duckdb_bind_get_extra_info(info)).TryBind(info)) NativeMethods.duckdb_bind_set_error(info, Gone);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Init(nint info)
    {
        NativeMethods.duckdb_init_set_max_threads(info, 1); // rows come in order
        Of(NativeMethods.duckdb_init_get_extra_info(info)).StartScan();
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Fill(nint info, nint output)
    {
        if (!Of(NativeMethods.duckdb_function_get_extra_info(info)).TryNext(output)) NativeMethods.duckdb_function_set_error(info, Gone);
    }
}
