using System.Formats.Tar;
using System.IO.Compression;

namespace Agnes.Cli.SelfUpgrade;

/// <summary>Unpacks what the server sent: plain files of one folder, nothing else, and not more than a program can be.</summary>
internal static class Archive
{
    private const int FilesMax = 500;
    private const long BytesMax = 2L << 30;
    private const UnixFileMode Executable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public static async Task UnpackAsync(string archive, string folder, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(folder, Executable); // a program, which all users of a machine may share
        try
        {
            if (archive.EndsWith(".zip", StringComparison.OrdinalIgnoreCase)) await UnzipAsync(archive, folder, cancellation);
            else await UntarAsync(archive, folder, cancellation);
        }
        catch (InvalidDataException problem)
        {
            throw new CliException($"The archive cannot be unpacked: {problem.Message}");
        }
    }

    private static async Task UntarAsync(string archive, string folder, CancellationToken cancellation)
    {
        await using var file = File.OpenRead(archive);
        await using var bytes = new GZipStream(file, CompressionMode.Decompress);
        await using var tar = new TarReader(bytes);
        var (count, total) = (0, 0L);
        while (await tar.GetNextEntryAsync(copyData: false, cancellation) is { } entry)
        {
            if (entry.EntryType is TarEntryType.Directory && entry.Name.TrimEnd('/') is "." or "") continue;
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile)) throw new InvalidDataException($"it holds '{entry.Name}', which is no plain file");
            Check(++count, total += entry.Length);
            var target = Target(folder, entry.Name);
            await using (var output = Create(target, entry.Mode.HasFlag(UnixFileMode.UserExecute)))
            {
                if (entry.DataStream is { } data) await data.CopyToAsync(output, cancellation);
                output.Flush(flushToDisk: true);
            }
        }
    }

    private static async Task UnzipAsync(string archive, string folder, CancellationToken cancellation)
    {
        await using var zip = await ZipFile.OpenReadAsync(archive, cancellation);
        var (count, total) = (0, 0L);
        foreach (var entry in zip.Entries)
        {
            Check(++count, total += entry.Length);
            await using var output = Create(Target(folder, entry.FullName), isExecutable: false);
            await using var data = await entry.OpenAsync(cancellation);
            await data.CopyToAsync(output, cancellation);
            output.Flush(flushToDisk: true);
        }
    }

    private static void Check(int count, long total)
    {
        if (count > FilesMax || total > BytesMax) throw new InvalidDataException("it is larger than a program can be");
    }

    /// <summary>A name that holds a path leads who knows where.</summary>
    private static string Target(string folder, string name)
    {
        var bare = name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name;
        return bare.Length > 0 && bare is not ("." or "..") && bare.AsSpan().IndexOfAny("/\\:\0") < 0
            ? Path.Combine(folder, bare)
            : throw new InvalidDataException($"it holds the name '{name}'");
    }

    private static FileStream Create(string path, bool isExecutable)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        var file = new FileStream(path, options);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file.SafeFileHandle, isExecutable ? Executable : Readable);
        return file;
    }
}
