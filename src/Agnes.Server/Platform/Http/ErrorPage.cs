namespace Agnes.Server.Platform.Http;

/// <summary>Shows a person an error as a page. Pages are the web's; the platform only knows that there is one.</summary>
internal delegate Task ErrorPage(HttpContext context, int status, string message);
