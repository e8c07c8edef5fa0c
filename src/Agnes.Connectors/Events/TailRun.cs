namespace Agnes.Connectors.Events;

/// <summary>
/// Rows that are newer than a version: the rows of every document that changed between two positions of the journal, as it is at the second. Files of a run are never
/// written again.
/// </summary>
/// <param name="Number">Later runs have larger ones, and say the truth where two have rows of one document.</param>
/// <param name="Files">By table, the file of its rows; a table without rows has none.</param>
/// <param name="Columns">By table, those of its file.</param>
/// <param name="Keys">The file of the documents' keys, with the months that hold or held their rows.</param>
/// <param name="Until">Everything before this position of the journal is in this run or an earlier one.</param>
public sealed record TailRun(long Number, IReadOnlyDictionary<string, string> Files, IReadOnlyDictionary<string, IReadOnlyList<string>> Columns, string Keys, long Until, long Documents, long Bytes)
{
    /// <summary>What of it is of one table.</summary>
    public Protocol.TailPaths Of(string table) => new(Files.GetValueOrDefault(table), Keys, Columns.GetValueOrDefault(table) ?? []);
}
