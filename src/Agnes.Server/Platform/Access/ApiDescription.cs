using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Agnes.Server.Platform.Access;

/// <summary>The API's own description at <c>/openapi/v1.json</c>: every endpoint with what it needs.</summary>
internal static class ApiDescription
{
    public static void AddTo(IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo { Title = "Agnes", Version = Conventions.ProductVersion };
            document.Servers?.Clear();
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            var access = context.Description.ActionDescriptor.EndpointMetadata.OfType<EndpointAccess>().LastOrDefault();
            operation.Description = $"Access: {access?.Description ?? "denied"}.{(operation.Description is { Length: > 0 } text ? " " + text : "")}";
            return Task.CompletedTask;
        });
    });

    public static void Map(IEndpointRouteBuilder routes) => routes.MapOpenApi().SignedIn();
}
