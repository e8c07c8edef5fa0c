using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Tests.Configuration;

/// <summary>Settings in writing, from how they are declared: the two templates and the operator's page.</summary>
internal static class WrittenSettings
{
    public static string Environment(SettingSet settings)
    {
        var text = new StringBuilder("""
            # Settings of the server. Copy to config/.env (never committed; chmod 600), take the hash from what you set, and load it before the start:
            #   set -a; . config/.env; set +a
            # Every variable that the server reads stands here, with its default; all are optional. What each one means: docs/operator/settings.md

            """);
        foreach (var group in settings.Groups)
        {
            var read = group.Settings.Where(setting => setting.IsRead && setting.Variables.Length > 0).ToList();
            if (read.Count > 0) text.Append('\n').Append("# ").Append(group.Title).Append(".\n");
            foreach (var setting in read)
            {
                foreach (var name in setting.Variables) text.Append("# ").Append(name).Append('=').Append(Quoted(setting.Default?.ToString() ?? "")).Append('\n');
            }
        }

        return text.ToString();
    }

    public static string Yaml(SettingSet settings)
    {
        var text = new StringBuilder("""
            # What this instance says of itself, and what else a file can set. Copy to config/instance.yaml (never committed), take the hash from what you set, and
            # restart the server. ${NAME} in a text is replaced by that environment variable. Secrets belong into config/.env, not here.
            # Every key that the server reads stands here, with its default. Where a variable is named, it wins.

            """);
        var keys = settings.All.Where(setting => setting is { IsRead: true, Key: not null }).DistinctBy(setting => setting.Key).ToList();
        foreach (var section in keys.GroupBy(setting => setting.Key!.Split('.')[0])) Write(text, [.. section], 0);
        return text.ToString();
    }

    public static string Page(SettingSet settings)
    {
        var text = new StringBuilder("""
            # All settings

            What the server reads, written from the declarations in its source. *Who*: **you** set it in the environment, or by its key in your own `instance.yaml`; of *admins* the overlay counts too, and where it
            says *stored* a secret that they stored under the variable's name. Where a setting has several names, the first that is set counts. How the layers lie over one another: [For operators](README.md#settings).

            """);
        foreach (var group in settings.Groups)
        {
            var read = group.Settings.Where(setting => setting.IsRead).ToList();
            if (read.Count == 0 && group.Families.Count == 0) continue;
            if (read.Count == 0 && group.Settings.Length > 0) continue; // all of it is for other versions
            text.Append("\n## ").Append(group.Title).Append("\n\n| Variable | Key | Default | Who | Meaning |\n| --- | --- | --- | --- | --- |\n");
            foreach (var setting in read)
            {
                var variables = string.Join(", ", setting.Variables.Select(name => $"`{name}`"));
                text.Append($"| {Or(variables)} | {Or(setting.Key is { } key ? $"`{key}`" : "")} | {Default(setting)} | {Who(setting)} | {setting.Means} |\n");
            }

            foreach (var family in group.Families) text.Append($"| `{family.Prefix}`…{family.Ending} | – | – | admins, stored | {family.Means} |\n");
        }

        return text.ToString();
    }

    /// <summary>Sections stand as they are, so that taking the hash from one line is enough.</summary>
    private static void Write(StringBuilder text, IReadOnlyList<Setting> below, int depth)
    {
        var keys = below[0].Key!.Split('.');
        if (keys.Length == depth + 1)
        {
            foreach (var setting in below) WriteLeaf(text, setting, depth);
            return;
        }

        text.Append(depth == 0 ? "\n" : "").Append(' ', depth * 2).Append(keys[depth]).Append(":\n");
        foreach (var part in below.GroupBy(setting => setting.Key!.Split('.')[depth + 1])) Write(text, [.. part], depth + 1);
    }

    private static void WriteLeaf(StringBuilder text, Setting setting, int depth)
    {
        var value = setting switch
        {
            { Example: { } example } => example,
            { Kind: "secret" } => $"${{{setting.Name}}}",
            { Kind: "array" } => "[]",
            { Default: { } given } => Quoted(given.ToString()),
            _ => "\"\"",
        };
        var isSet = setting.Key == "config_version";
        text.Append(' ', depth * 2).Append(isSet ? "" : "# ").Append($"{setting.Key!.Split('.')[^1]}: {value}   # {setting.Means}");
        text.Append(setting.Variables.Length > 0 ? $" ({string.Join(", ", setting.Variables)})\n" : "\n");
    }

    private static string Quoted(string text) => text.Contains(' ', StringComparison.Ordinal) ? $"\"{text}\"" : text;

    private static string Default(Setting setting) => setting switch
    {
        { Otherwise: { } said } => said,
        { Kind: "bool" } => setting.Default is JsonValue value && value.GetValue<bool>() ? "on" : "off",
        { Default: { } given } => $"`{given}`",
        _ => "–",
    };

    private static string Who(Setting setting) => setting.By switch
    {
        SettableBy.Operator => "**you**",
        SettableBy.Overlay => "**you**, admins",
        _ => setting.Variables.Length > 0 ? "**you**, admins; stored" : "**you**, admins",
    };

    private static string Or(string text) => text.Length > 0 ? text : "–";
}
