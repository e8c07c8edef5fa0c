using System.Runtime.InteropServices;

namespace DuckDB.NET.Data.Native;

/// <summary>Results in Arrow's C data interface.</summary>
internal static unsafe partial class NativeMethods
{
    [LibraryImport(Library)]
    internal static partial nint duckdb_result_get_arrow_options(NativeResult* result);

    [LibraryImport(Library)]
    internal static partial void duckdb_destroy_arrow_options(ref nint options);

    /// <summary>Returns an error, which the caller frees; zero where there is none.</summary>
    [LibraryImport(Library)]
    internal static partial nint duckdb_to_arrow_schema(nint options, nint* types, nint* names, ulong columns, ArrowSchema* schema);

    /// <inheritdoc cref="duckdb_to_arrow_schema"/>
    [LibraryImport(Library)]
    internal static partial nint duckdb_data_chunk_to_arrow(nint options, nint chunk, ArrowArray* array);

    [LibraryImport(Library)]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool duckdb_error_data_has_error(nint error);

    [LibraryImport(Library)]
    internal static partial nint duckdb_error_data_message(nint error);
}

/// <summary><c>struct ArrowSchema</c>: a type with its name; the children are its parts.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ArrowSchema
{
    internal const long Nullable = 2;

    internal nint Format;
    internal nint Name;
    internal nint Metadata;
    internal long Flags;
    internal long ChildCount;
    internal ArrowSchema** Children;
    internal ArrowSchema* Dictionary;
    internal delegate* unmanaged[Cdecl]<ArrowSchema*, void> Release;
    internal nint PrivateData;
}

/// <summary><c>struct ArrowArray</c>: the values of one type.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ArrowArray
{
    internal long Length;
    internal long NullCount;
    internal long Offset;
    internal long BufferCount;
    internal long ChildCount;
    internal nint* Buffers;
    internal ArrowArray** Children;
    internal ArrowArray* Dictionary;
    internal delegate* unmanaged[Cdecl]<ArrowArray*, void> Release;
    internal nint PrivateData;
}
