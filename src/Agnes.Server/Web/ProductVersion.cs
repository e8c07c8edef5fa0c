using System.Reflection;

namespace Agnes.Server.Web;

internal static class ProductVersion
{
    /// <summary>Such as <c>Agnes 0.60.0</c>.</summary>
    public static readonly string Text = $"Agnes {typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]}";
}
