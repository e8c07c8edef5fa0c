namespace Agnes.Server.Features.Prompts.Templates;

/// <summary>
/// What one rendering may take, counted and not timed, so that a template fails or works the same on every machine: steps, turns of loops, and
/// characters, of which each counts that is made or looked at on the way.
/// </summary>
internal sealed class TemplateCost
{
    public const int OutputCharsMax = 1 << 20;
    public const int CharsMax = 16 << 20;
    public const int LoopsMax = 10_000;
    public const int StepsMax = 250_000;

    /// <summary>Values within values, of which each takes of the stack.</summary>
    public const int DepthMax = 500;

    /// <summary>Of looking for a text in another: how many characters are compared at once.</summary>
    private const int SearchWidth = 32;

    public int Steps { get; private set; }

    public int Loops { get; private set; }

    public long Chars { get; private set; }

    private int _depth;

    public void Step(int line)
    {
        if (++Steps > StepsMax) throw new TemplateException($"line {line}: it takes more than {StepsMax} steps; show less, or loop over less");
    }

    /// <summary>To be left again, but by an exception, after which nothing goes on.</summary>
    public void Enter(int line)
    {
        if (++_depth > DepthMax) throw new TemplateException($"line {line}: values are nested deeper than {DepthMax} levels");
    }

    public void Leave() => _depth--;

    public void Turn(int line)
    {
        if (++Loops > LoopsMax) throw new TemplateException($"line {line}: more than {LoopsMax} turns of loops");
    }

    /// <summary>To be said before they are made, where that can be known.</summary>
    public void Char(long count, int line)
    {
        Chars += count;
        if (Chars <= CharsMax) return;
        throw new TemplateException(
            $"line {line}: more than {CharsMax} characters are made or looked at on the way; use fewer filters and comparisons on long texts");
    }

    /// <summary>A text that becomes one: no longer than a result could be.</summary>
    public void Text(long length, int line)
    {
        if (length > OutputCharsMax) throw new TemplateException($"line {line}: a text is longer than {OutputCharsMax} characters");
        Char(length, line);
    }

    /// <summary>At worst, each place of the text is compared with all that is looked for.</summary>
    public void Search(string text, string part, int line) => Char(text.Length + ((long)text.Length * part.Length / SearchWidth), line);
}
