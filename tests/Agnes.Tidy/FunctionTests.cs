using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Agnes.Tidy;

/// <summary>Functions are read at one glance: their length is a ratchet.</summary>
public sealed class FunctionTests
{
    private const int LinesMax = 70;

    /// <summary>Path and name → lines allowed; numbers only go down.</summary>
    private static readonly Dictionary<string, int> Longer = new(StringComparer.Ordinal);

    [Fact]
    public void Functions_stay_short()
    {
        var functions =
            from file in Repository.Sources("src", ".cs")
            let root = CSharpSyntaxTree.ParseText(string.Join('\n', file.Lines)).GetRoot()
            from function in root.DescendantNodes().Where(node => node is BaseMethodDeclarationSyntax or LocalFunctionStatementSyntax or AccessorDeclarationSyntax)
            let span = function.GetLocation().GetLineSpan()
            let lines = span.EndLinePosition.Line - span.StartLinePosition.Line + 1
            where lines > LinesMax
            select (Name: $"{file.Path}:{Name(function)}", Lines: lines);
        var all = functions.GroupBy(function => function.Name, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Max(one => one.Lines), StringComparer.Ordinal);
        all.Where(function => function.Value > Longer.GetValueOrDefault(function.Key, LinesMax)).Select(function => $"{function.Key}: {function.Value} lines").ShouldBeEmpty();
        Longer.Keys.Except(all.Keys, StringComparer.Ordinal).ShouldBeEmpty("short by now: take it out of the list");
    }

    private static string Name(SyntaxNode function) => function switch
    {
        MethodDeclarationSyntax method => method.Identifier.Text,
        ConstructorDeclarationSyntax constructor => constructor.Identifier.Text,
        LocalFunctionStatementSyntax local => local.Identifier.Text,
        AccessorDeclarationSyntax accessor => accessor.Keyword.Text,
        _ => function.Kind().ToString(),
    };
}
