using System.Text;

namespace Agnes.Server.Features.Prompts.Templates;

/// <summary>
/// A text with values, written by an admin in a part of Jinja2: no escaping, no code, and a name that is not known is an error. Values are texts, numbers, booleans, null,
/// lists and mappings; nothing of the program can be reached from a template. What it may cost is bounded: see <see cref="TemplateCost"/>.
/// </summary>
public sealed class Template
{
    public const int SourceCharsMax = 200_000;

    private readonly IReadOnlyList<Node> _body;

    private Template(IReadOnlyList<Node> body) => _body = body;

    /// <exception cref="TemplateException">It is no template.</exception>
    public static Template Parse(string source) => source.Length > SourceCharsMax
        ? throw new TemplateException($"it is longer than {SourceCharsMax} characters")
        : new Template(new TemplateParser(TemplateLexer.Read(source)).Read());

    /// <exception cref="TemplateException">A name is not known, a value does not fit, or it would cost too much.</exception>
    public string Render(IReadOnlyDictionary<string, object?> context) => Render(context, new TemplateCost());

    /// <param name="cost">Counts.</param>
    internal string Render(IReadOnlyDictionary<string, object?> context, TemplateCost cost)
    {
        var run = new TemplateRun(context, cost);
        run.Write(_body);
        return run.Output.ToString();
    }
}

/// <summary>One rendering.</summary>
internal sealed class TemplateRun(IReadOnlyDictionary<string, object?> context, TemplateCost cost)
{
    private readonly List<Dictionary<string, object?>> _scopes = [new(StringComparer.Ordinal)];

    public StringBuilder Output { get; } = new();

    public void Write(IReadOnlyList<Node> nodes)
    {
        foreach (var node in nodes) Write(node);
    }

    private void Write(Node node)
    {
        cost.Step(node.Line);
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
        var items = TemplateValue.Items(Known(loop.Items), cost, loop.Line);
        if (items.Count == 0) Write(loop.Otherwise);
        for (var index = 0; index < items.Count; index++)
        {
            cost.Turn(loop.Line);
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
        cost.Step(expression.Line);
        cost.Enter(expression.Line);
        var value = ValueOf(expression);
        cost.Leave();
        return value;
    }

    private object? ValueOf(Expression expression)
    {
        switch (expression)
        {
            case Constant constant: return constant.Value;
            case Variable variable: return Find(variable);
            case Member member: return TemplateValue.Member(Known(member.Of), Known(member.Key), member.Line);
            case Defined defined: return Evaluate(defined.Operand) is Undefined == defined.Negated;
            case Unary { Operator: "not" } not: return !TemplateValue.IsTrue(Known(not.Operand));
            case Unary minus: return TemplateValue.Negative(Known(minus.Operand), minus.Line);
            case Binary { Operator: "and" } and: return Known(and.Left) is var first && TemplateValue.IsTrue(first) ? Known(and.Right) : first;
            case Binary { Operator: "or" } or: return Known(or.Left) is var left && TemplateValue.IsTrue(left) ? left : Known(or.Right);
            case Binary binary: return TemplateValue.Combine(binary.Operator, Known(binary.Left), Known(binary.Right), cost, binary.Line);
            case Choice choice: return TemplateValue.IsTrue(Known(choice.Condition)) ? Evaluate(choice.Then) : choice.Otherwise is { } other ? Evaluate(other) : "";
            case Filter { Name: "default" or "d" } filter: return Evaluate(filter.Input) is var input && input is not Undefined ? input : filter.Arguments.Count > 0 ? Known(filter.Arguments[0]) : "";
            case Filter filter:
                return TemplateFilters.Apply(
                    filter.Name, Known(filter.Input), [.. filter.Arguments.Select(Known)],
                    filter.Named.ToDictionary(argument => argument.Key, argument => Known(argument.Value), StringComparer.Ordinal), cost, filter.Line);
            default: throw new TemplateException($"line {expression.Line}: this is not understood");
        }
    }

    private object? Find(Variable variable)
    {
        for (var index = _scopes.Count - 1; index >= 0; index--)
        {
            if (_scopes[index].TryGetValue(variable.Name, out var value)) return value;
            cost.Step(variable.Line);
        }
        return context.TryGetValue(variable.Name, out var given) ? given : new Undefined(variable.Name);
    }

    private void Append(string text, int line)
    {
        if (Output.Length + text.Length > TemplateCost.OutputCharsMax) throw new TemplateException($"line {line}: the result is longer than {TemplateCost.OutputCharsMax} characters");
        Output.Append(text);
    }
}

/// <summary>A name that nothing stands behind.</summary>
internal sealed record Undefined(string Name);
