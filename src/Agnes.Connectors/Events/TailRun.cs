namespace Agnes.Connectors.Events;

/// <summary>
/// Rows that are newer than a version: the rows of every document that changed between two positions of the journal, as it is at the second. Files of a run are never
/// written again.
/// </summary>
/// <param name="Number">Later runs have larger ones, and say the truth where two have rows of one document.</param>
/// <param name="Files">By table, the file of its rows, by its name in the folder of the source's tail; a table without rows has none.</param>
/// <param name="Columns">By table, those of its file.</param>
/// <param name="Keys">The file of the documents' keys, by its name, with the months that hold or held their rows.</param>
/// <param name="Until">Everything before this position of the journal is in this run or an earlier one.</param>
public sealed record TailRun(long Number, IReadOnlyDictionary<string, string> Files, IReadOnlyDictionary<string, IReadOnlyList<string>> Columns, string Keys, long Until, long Documents, long Bytes)
{
    /// <summary>The names of all its files.</summary>
    public IEnumerable<string> Names => Files.Values.Append(Keys);

    /// <summary>What of it is of one table.</summary>
    /// <param name="folder">Of the source's tail.</param>
    public Protocol.TailPaths Of(string table, string folder) =>
        new(Files.TryGetValue(table, out var rows) ? Path.Combine(folder, rows) : null, KeysIn(folder), Columns.GetValueOrDefault(table) ?? []);

    /// <inheritdoc cref="Of"/>
    public string KeysIn(string folder) => Path.Combine(folder, Keys);
}
