namespace Agnes.Server.Features.Prompts.Templates;

/// <summary>A piece of a template that writes something.</summary>
internal abstract record Node(int Line);

internal sealed record TextNode(string Text, int Line) : Node(Line);

internal sealed record OutputNode(Expression Value, int Line) : Node(Line);

/// <param name="Branches">The condition of each; null for <c>else</c>.</param>
internal sealed record IfNode(IReadOnlyList<(Expression? Condition, IReadOnlyList<Node> Body)> Branches, int Line) : Node(Line);

internal sealed record ForNode(string Name, Expression Items, IReadOnlyList<Node> Body, IReadOnlyList<Node> Otherwise, int Line) : Node(Line);

internal sealed record SetNode(string Name, Expression Value, int Line) : Node(Line);

/// <summary>A piece of a template that has a value.</summary>
internal abstract record Expression(int Line);

internal sealed record Constant(object? Value, int Line) : Expression(Line);

internal sealed record Variable(string Name, int Line) : Expression(Line);

internal sealed record Member(Expression Of, Expression Key, int Line) : Expression(Line);

internal sealed record Unary(string Operator, Expression Operand, int Line) : Expression(Line);

internal sealed record Binary(string Operator, Expression Left, Expression Right, int Line) : Expression(Line);

internal sealed record Choice(Expression Then, Expression Condition, Expression? Otherwise, int Line) : Expression(Line);

internal sealed record Filter(string Name, Expression Input, IReadOnlyList<Expression> Arguments, IReadOnlyDictionary<string, Expression> Named, int Line) : Expression(Line);

internal sealed record Defined(Expression Operand, bool Negated, int Line) : Expression(Line);
