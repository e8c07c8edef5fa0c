using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Agnes.Tidy;

/// <summary>
/// What the compiled programs use, from whom: what the sources mean, whatever their usings, aliases and generated halves look like.
/// Constants are folded by the compiler and leave no trace here; everything else that is named does.
/// </summary>
internal static class Compiled
{
    private static readonly Lazy<IReadOnlyList<CompiledUse>> Found = new(ReadAll);

    /// <summary>Every use, once per using type and thing used.</summary>
    public static IReadOnlyList<CompiledUse> Uses => Found.Value;

    /// <summary>Which room uses which within one program or library: (from, to, an example).</summary>
    public static IEnumerable<(string From, string To, string Example)> Edges(string assembly, string root) =>
        from use in Uses
        where use.Assembly == assembly && use.Kind == UseKind.Type && use.Owner == assembly
        let edge = (From: Room(use.Namespace, root), To: Room(use.UsedNamespace, root))
        where edge.From is not null && edge.To is not null && edge.From != edge.To
        group use by edge into uses
        let example = uses.First()
        select (uses.Key.From, uses.Key.To, $"{example.Type} → {example.Used}");

    /// <summary>The first name below <paramref name="root"/>; null for what is not below it.</summary>
    public static string? Room(string name, string root) => name.StartsWith($"{root}.", StringComparison.Ordinal) ? name[(root.Length + 1)..].Split('.')[0] : null;

    private static List<CompiledUse> ReadAll()
    {
        var configuration = Path.GetFileName(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        var server = Path.Combine(Repository.Root, "artifacts/bin/Agnes.Server", configuration);
        var cli = Path.Combine(Repository.Root, "artifacts/bin/Agnes.Cli", configuration);
        string[] files =
        [
            Path.Combine(server, "agnes-server.dll"), Path.Combine(cli, "agnes.dll"),
            .. ((string[])["Agnes.DuckDb", "Agnes.Protocol", "Agnes.Sql", "Agnes.Engine", "Agnes.Connectors"]).Select(name => Path.Combine(server, $"{name}.dll")),
        ];
        return [.. files.SelectMany(ReadOne)];
    }

    private static HashSet<CompiledUse> ReadOne(string file)
    {
        using var module = ModuleDefinition.ReadModule(file);
        var assembly = module.Assembly.Name.Name;
        var uses = new HashSet<CompiledUse>();
        foreach (var type in module.Types.SelectMany(WithNested))
        {
            var top = TopOf(type);
            void Add(UseKind kind, string owner, string space, string used) => uses.Add(new CompiledUse(assembly, top.Namespace, top.Name, kind, owner, space, used));
            void AddType(TypeReference? used)
            {
                switch (used)
                {
                    case null or GenericParameter: return;
                    case GenericInstanceType generic:
                        foreach (var argument in generic.GenericArguments) AddType(argument);
                        break;
                }

                if (used is TypeSpecification wrapped)
                {
                    AddType(wrapped.ElementType);
                    return;
                }

                Add(UseKind.Type, used.Scope is AssemblyNameReference other ? other.Name : assembly, TopOf(used).Namespace, TopOf(used).Name);
            }

            AddType(type.BaseType);
            foreach (var used in type.Interfaces) AddType(used.InterfaceType);
            foreach (var field in type.Fields) AddType(field.FieldType);
            foreach (var attribute in type.CustomAttributes) AddType(attribute.AttributeType);
            foreach (var method in type.Methods) ReadMethod(method, type, AddType, (kind, used) => Add(kind, "", "", used));
        }

        return uses;
    }

    private static void ReadMethod(MethodDefinition method, TypeDefinition type, Action<TypeReference?> addType, Action<UseKind, string> add)
    {
        addType(method.ReturnType);
        foreach (var parameter in method.Parameters) addType(parameter.ParameterType);
        if (!method.HasBody) return;
        foreach (var variable in method.Body.Variables) addType(variable.VariableType);
        // The compiler's own machinery of async methods takes results of completed tasks.
        var machinery = method.Name == "MoveNext" && type.IsNested;
        foreach (var instruction in method.Body.Instructions)
        {
            switch (instruction.Operand)
            {
                case string text when instruction.OpCode == OpCodes.Ldstr: add(UseKind.Text, text); break;
                case TypeReference used: addType(used); break;
                case FieldReference field: addType(field.DeclaringType); break;
                case MethodReference called:
                    addType(called.DeclaringType);
                    if (called is GenericInstanceMethod generic)
                    {
                        foreach (var argument in generic.GenericArguments) addType(argument);
                    }

                    var name = $"{called.DeclaringType.GetElementType().FullName}.{called.Name}";
                    if (!(machinery && name.EndsWith(".GetResult", StringComparison.Ordinal))) add(UseKind.Call, name);
                    break;
            }
        }
    }

    private static IEnumerable<TypeDefinition> WithNested(TypeDefinition type) => type.NestedTypes.SelectMany(WithNested).Prepend(type);

    private static TypeReference TopOf(TypeReference type)
    {
        while (type.DeclaringType is not null) type = type.DeclaringType;
        return type;
    }
}

internal enum UseKind { Type, Call, Text }

/// <param name="Owner">The assembly of a used type; empty for calls and texts.</param>
/// <param name="Used">A type's name, a called member as <c>Namespace.Type.Member</c>, or a text's characters.</param>
internal sealed record CompiledUse(string Assembly, string Namespace, string Type, UseKind Kind, string Owner, string UsedNamespace, string Used)
{
    /// <summary>Where somebody looks for the type.</summary>
    public string Place => $"{Namespace}.{Type}";
}
