using System.Runtime.InteropServices;
using System.Text;

namespace DuckDB.NET.Data.Native;

/// <summary>Text on its way to and from the engine. Strict: half a surrogate pair is an error, not a question mark in a table.</summary>
internal static unsafe class Utf8
{
    internal static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The bytes of an SQL text with the closing zero.</summary>
    internal static byte[] SqlBytes(string sql)
    {
        if (sql.Contains('\0')) throw new ArgumentException("An SQL text cannot contain a NUL character.", nameof(sql));
        var bytes = new byte[Strict.GetByteCount(sql) + 1];
        Strict.GetBytes(sql, bytes);
        return bytes;
    }

    internal static string? Borrow(nint text) => Marshal.PtrToStringUTF8(text);

    /// <summary>Reads a text that the engine handed over, and frees it.</summary>
    internal static string? Take(nint text)
    {
        if (text == 0) return null;
        var result = Marshal.PtrToStringUTF8(text);
        NativeMethods.duckdb_free(text);
        return result;
    }
}
