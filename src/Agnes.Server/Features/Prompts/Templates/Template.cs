using System.Text;

namespace Agnes.Server.Features.Prompts.Templates;

/// <summary>
/// A text with values, written by an admin in a part of Jinja2: no escaping, no code, and a name that is not known is an error. Values are texts, numbers, booleans, null,
/// lists and mappings; nothing of the program can be reached from a template. What it may cost is bounded.
/// </summary>
public sealed class Template
{
    public const int SourceCharsMax = 200_000;
    internal const int OutputCharsMax = 1 << 20;
    internal const int LoopsMax = 10_000;
    internal const int StepsMax = 1_000_000;

    private readonly IReadOnlyList<Node> _body;

    private Template(IReadOnlyList<Node> body) => _body = body;

    /// <exception cref="TemplateException">It is no template.</exception>
    public static Template Parse(string source) => source.Length > SourceCharsMax
        ? throw new TemplateException($"it is longer than {SourceCharsMax} characters")
        : new Template(new TemplateParser(TemplateLexer.Read(source)).Read());

    /// <exception cref="TemplateException">A name is not known, a value does not fit, or it would cost too much.</exception>
    public string Render(IReadOnlyDictionary<string, object?> context)
    {
        var run = new TemplateRun(context);
        run.Write(_body);
        return run.Output.ToString();
    }
}

/// <summary>One rendering.</summary>
internal sealed class TemplateRun(IReadOnlyDictionary<string, object?> context)
{
    private readonly List<Dictionary<string, object?>> _scopes = [new(StringComparer.Ordinal)];
    private int _loops;
    private int _steps;

    public StringBuilder Output { get; } = new();

    public void Write(IReadOnlyList<Node> nodes)
    {
        foreach (var node in nodes) Write(node);
    }

    private void Write(Node node)
    {
        Step(node.Line);
        switch (node)
        {
            case TextNode text:
                Append(text.Text, node.Line);
                break;
            case OutputNode output:
                Append(TemplateValue.Text(Known(output.Value), node.Line), node.Line);
                break;
            case SetNode set:
                _scopes[^1][set.Name] = Known(set.Value);
                break;
            case IfNode choice:
                foreach (var (condition, body) in choice.Branches)
                {
                    if (condition is not null && !TemplateValue.IsTrue(Known(condition))) continue;
                    Write(body);
                    break;
                }
                break;
            case ForNode loop:
                Loop(loop);
                break;
        }
    }

    private void Loop(ForNode loop)
    {
        var items = TemplateValue.Items(Known(loop.Items), loop.Line);
        if (items.Count == 0) Write(loop.Otherwise);
        for (var index = 0; index < items.Count; index++)
        {
            if (++_loops > Template.LoopsMax) throw new TemplateException($"line {loop.Line}: more than {Template.LoopsMax} turns of loops");
            var state = new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["index"] = index + 1L,
                ["index0"] = (long)index,
                ["first"] = index == 0,
                ["last"] = index == items.Count - 1,
                ["length"] = (long)items.Count,
            };
            _scopes.Add(new(StringComparer.Ordinal) { [loop.Name] = items[index], ["loop"] = state });
            Write(loop.Body);
            _scopes.RemoveAt(_scopes.Count - 1);
        }
    }

    /// <summary>The value, which must be defined.</summary>
    private object? Known(Expression expression) =>
        Evaluate(expression) is var value && value is Undefined missing ? throw new TemplateException($"line {expression.Line}: '{missing.Name}' is undefined") : value;

    private object? Evaluate(Expression expression)
    {
        Step(expression.Line);
        switch (expression)
        {
            case Constant constant: return constant.Value;
            case Variable variable: return Find(variable.Name);
            case Member member: return TemplateValue.Member(Known(member.Of), Known(member.Key), member.Line);
            case Defined defined: return Evaluate(defined.Operand) is Undefined == defined.Negated;
            case Unary { Operator: "not" } not: return !TemplateValue.IsTrue(Known(not.Operand));
            case Unary minus: return TemplateValue.Negative(Known(minus.Operand), minus.Line);
            case Binary { Operator: "and" } and: return Known(and.Left) is var first && TemplateValue.IsTrue(first) ? Known(and.Right) : first;
            case Binary { Operator: "or" } or: return Known(or.Left) is var left && TemplateValue.IsTrue(left) ? left : Known(or.Right);
            case Binary binary: return TemplateValue.Combine(binary.Operator, Known(binary.Left), Known(binary.Right), binary.Line);
            case Choice choice: return TemplateValue.IsTrue(Known(choice.Condition)) ? Evaluate(choice.Then) : choice.Otherwise is { } other ? Evaluate(other) : "";
            case Filter { Name: "default" or "d" } filter: return Evaluate(filter.Input) is var input && input is not Undefined ? input : filter.Arguments.Count > 0 ? Known(filter.Arguments[0]) : "";
            case Filter filter:
                return TemplateFilters.Apply(
                    filter.Name, Known(filter.Input), [.. filter.Arguments.Select(Known)],
                    filter.Named.ToDictionary(argument => argument.Key, argument => Known(argument.Value), StringComparer.Ordinal), filter.Line);
            default: throw new TemplateException($"line {expression.Line}: this is not understood");
        }
    }

    private object? Find(string name)
    {
        for (var index = _scopes.Count - 1; index >= 0; index--)
        {
            if (_scopes[index].TryGetValue(name, out var value)) return value;
        }
        return context.TryGetValue(name, out var given) ? given : new Undefined(name);
    }

    private void Append(string text, int line)
    {
        if (Output.Length + text.Length > Template.OutputCharsMax) throw new TemplateException($"line {line}: the result is longer than {Template.OutputCharsMax} characters");
        Output.Append(text);
    }

    private void Step(int line)
    {
        if (++_steps > Template.StepsMax) throw new TemplateException($"line {line}: it takes too many steps");
    }
}

/// <summary>A name that nothing stands behind.</summary>
internal sealed record Undefined(string Name);
