using System.Reflection;
using System.Runtime.InteropServices;

namespace DuckDB.NET.Data.Native;

/// <summary>Where the engine's library lies in a package for several platforms; in all others it lies beside the program, where the system looks by itself.</summary>
internal static unsafe partial class NativeMethods
{
    static NativeMethods() => NativeLibrary.SetDllImportResolver(typeof(NativeMethods).Assembly, Resolve);

    /// <returns>0: the usual places are looked at.</returns>
    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Library) return 0;
        var file = OperatingSystem.IsWindows() ? "duckdb.dll" : OperatingSystem.IsMacOS() ? "libduckdb.dylib" : "libduckdb.so";
        var portable = Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native", file);
        return File.Exists(portable) && NativeLibrary.TryLoad(portable, out var handle) ? handle : 0;
    }
}
