using System.Text.Json;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Agnes.Server.Platform.Access;

/// <summary>The API's own description at <c>/openapi/v1.json</c>: every endpoint with what it needs.</summary>
internal static class ApiDescription
{
    public static void AddTo(IServiceCollection services)
    {
        // Shapes of answers are described under the names that they are written with.
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower);
        services.AddOpenApi("v1", Describe);
    }

    private static void Describe(OpenApiOptions options)
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
            DescribeRefusals(operation, access, context.Description.HttpMethod ?? "");
            return Task.CompletedTask;
        });
    }

    /// <summary>At the address of its version, and at the one that clients of the original know.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapOpenApi().SignedIn();
        routes.MapOpenApi("/openapi.json").SignedIn();
    }

    /// <summary>What a call answers when it is refused: the same everywhere.</summary>
    private static void DescribeRefusals(OpenApiOperation operation, EndpointAccess? access, string method)
    {
        operation.Responses ??= [];
        if (access is not EndpointAccess.PublicAccess)
        {
            operation.Responses.TryAdd("401", Refusal("Not signed in."));
            operation.Responses.TryAdd("403", Refusal("Signed in, and not allowed."));
        }

        if (!HttpMethods.IsGet(method)) operation.Responses.TryAdd("422", Refusal("The request is incomplete or malformed: a list of type, loc, msg and input."));
    }

    private static OpenApiResponse Refusal(string description) => new()
    {
        Description = description,
        Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
        {
            ["application/json"] = new()
            {
                Schema = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Required = new HashSet<string>(StringComparer.Ordinal) { "detail" },
                    Properties = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal)
                    {
                        ["detail"] = new OpenApiSchema { Description = "A text; or an object with code and message; or a list of what is wrong with the request." },
                    },
                },
            },
        },
    };
}
