using System.Globalization;

namespace Agnes.Cli.Output;

/// <summary>
/// A result as a grid, or as records below one another where the columns would have no room. Cells are cut only on a terminal: what is piped (to an
/// agent, say) stays whole.
/// </summary>
internal static class Grid
{
    private const int ColumnRoomMin = 6;
    private const string Null = "NULL";

    /// <summary>No row is filled up beyond, so that one huge cell does not make every other row as long. The cell itself stays whole.</summary>
    private const int FilledMax = 200;

    public static Written Write(Host host, ResultRows rows, long limit)
    {
        var cells = new List<string[]>();
        var isCut = false;
        while (rows.Read())
        {
            if (cells.Count == limit)
            {
                isCut = true;
                break;
            }

            var row = new string[rows.Columns.Count];
            for (var index = 0; index < row.Length; index++) row[index] = DisplayText.OneLine(rows.Text(index) ?? Null);
            cells.Add(row);
        }

        var names = rows.Columns.Select(DisplayText.OneLine).ToArray();
        if (names.Length * ColumnRoomMin > host.Width) WriteRecords(host.Out, names, cells);
        else WriteGrid(host, names, cells, rows);
        host.Out.Write(string.Create(CultureInfo.InvariantCulture, $"({cells.Count} {(cells.Count == 1 ? "row" : "rows")}{(isCut ? ", more exist" : "")})\n"));
        return new Written(cells.Count, isCut);
    }

    private static void WriteRecords(TextWriter output, string[] names, List<string[]> rows)
    {
        var width = names.Max(DisplayText.Width);
        for (var index = 0; index < rows.Count; index++)
        {
            output.Write(string.Create(CultureInfo.InvariantCulture, $"─── row {index + 1} ───\n"));
            for (var column = 0; column < names.Length; column++)
            {
                output.Write($"  {names[column]}{new string(' ', width - DisplayText.Width(names[column]))} : {rows[index][column]}\n");
            }
        }
    }

    private static void WriteGrid(Host host, string[] names, List<string[]> rows, ResultRows shape)
    {
        // Plain loops: generics over numbers would have to be compiled at start-up.
        var widths = new int[names.Length];
        var isNumber = new bool[names.Length];
        for (var column = 0; column < names.Length; column++)
        {
            widths[column] = Math.Max(1, DisplayText.Width(names[column]));
            isNumber[column] = shape.IsNumber(column);
            foreach (var row in rows) widths[column] = Math.Max(widths[column], DisplayText.Width(row[column]));
        }

        for (var column = 0; column < widths.Length; column++) widths[column] = Math.Min(widths[column], host.OutIsTerminal ? host.Width : FilledMax);
        if (host.OutIsTerminal) Shrink(widths, host.Width);
        WriteRule(host.Out, widths, '┌', '┬', '┐');
        WriteRow(host.Out, names, widths, isNumber, host.OutIsTerminal);
        WriteRule(host.Out, widths, '├', '┼', '┤');
        foreach (var row in rows) WriteRow(host.Out, row, widths, isNumber, host.OutIsTerminal);
        WriteRule(host.Out, widths, '└', '┴', '┘');
    }

    /// <summary>Takes from the widest column until the grid fits.</summary>
    private static void Shrink(int[] widths, int terminal)
    {
        var frame = 3 * widths.Length + 1;
        while (widths.Sum() + frame > terminal)
        {
            var widest = Array.IndexOf(widths, widths.Max());
            if (widths[widest] <= 3) return;
            widths[widest]--;
        }
    }

    private static void WriteRule(TextWriter output, int[] widths, char left, char middle, char right)
    {
        for (var column = 0; column < widths.Length; column++)
        {
            output.Write(column == 0 ? left : middle);
            output.Write(new string('─', widths[column] + 2));
        }

        output.Write(right);
        output.Write('\n');
    }

    private static void WriteRow(TextWriter output, string[] cells, int[] widths, bool[] isNumber, bool isCut)
    {
        for (var column = 0; column < cells.Length; column++)
        {
            var text = isCut ? DisplayText.Cut(cells[column], widths[column]) : cells[column];
            var room = new string(' ', Math.Max(0, widths[column] - DisplayText.Width(text)));
            output.Write(isNumber[column] ? $"│ {room}{text} " : $"│ {text}{room} ");
        }

        output.Write("│\n");
    }
}
