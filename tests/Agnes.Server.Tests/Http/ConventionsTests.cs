using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.Http;

[Collection("world")]
public sealed class ConventionsTests(Worlds worlds, Postgres postgres)
{
    [Theory]
    [InlineData("ab c$1", "abc1")]
    [InlineData("with-dash_and_line", "with-dash_and_line")]
    [InlineData("\"><script>", "script")]
    public async Task The_callers_request_id_is_cleaned_and_given_back(string sent, string expected)
    {
        var answer = await (await worlds.OnAsync(StateEngine.DuckDb, postgres)).Server.SendAsync("GET", "/api/users", change: request => request.Headers.Add("X-Request-ID", sent));
        answer.Header("x-request-id").ShouldBe(expected);
    }

    [Fact]
    public async Task Every_answer_has_an_id_and_every_answer_of_the_api_the_versions()
    {
        var server = (await worlds.OnAsync(StateEngine.DuckDb, postgres)).Server;
        foreach (var path in (string[])["/api/users", "/api/none", "/auth/me", "/nowhere", "/login"])
        {
            var answer = await server.SendAsync("GET", path, change: request => request.Headers.Add("Origin", "http://localhost:3000")); // nobody is named: nobody may read
            answer.Header("x-request-id")!.ShouldMatch(@"\A[0-9a-f]{12}\z");
            answer.Header("X-Content-Type-Options").ShouldBe("nosniff");
            answer.Header("Content-Security-Policy")!.ShouldContain("default-src 'none'");
            answer.Header("X-Frame-Options").ShouldBe("DENY");
            answer.Header("Referrer-Policy").ShouldBe("same-origin");
            answer.Header("Cross-Origin-Opener-Policy").ShouldBe("same-origin");
            answer.Header("Cross-Origin-Resource-Policy").ShouldBe("same-origin");
            answer.Header("Permissions-Policy")!.ShouldContain("camera=(), ");
            answer.Header("Access-Control-Allow-Origin").ShouldBeNull();
            answer.Header("X-Agnes-Min-Version").ShouldBe(path.StartsWith("/api/", StringComparison.Ordinal) ? "0.0.0" : null);
            if (path.StartsWith("/api/", StringComparison.Ordinal)) answer.Header("X-Agnes-Latest-Version")!.ShouldMatch(@"\A\d+\.\d+\.\d+\z");
        }

        (await server.SendAsync("GET", "/api/users", change: request => request.Headers.Add("X-Request-ID", new string('a', 100)))).Header("x-request-id")!.Length.ShouldBe(64);
    }

    [Theory]
    [InlineData("GET", "/api/none", "text/html", 404, """{"detail":"Page not found"}""")]
    [InlineData("POST", "/api/none", "*/*", 405, """{"detail":"Method Not Allowed"}""")]
    [InlineData("HEAD", "/api/none", "*/*", 405, "")]
    [InlineData("GET", "/none", "*/*", 404, """{"detail":"Page not found"}""")]
    [InlineData("POST", "/none", null, 405, """{"detail":"Method Not Allowed"}""")]
    [InlineData("PUT", "/api/users", null, 405, """{"detail":"Method Not Allowed"}""")]
    [InlineData("GET", "/api/users/", null, 404, """{"detail":"Page not found"}""")]
    [InlineData("GET", "/api/users", "text/html", 401, """{"detail":"Missing or invalid Authorization header"}""")]
    public async Task What_no_route_answers_has_one_shape(string method, string path, string? accept, int status, string body)
    {
        var answer = await (await worlds.OnAsync(StateEngine.DuckDb, postgres)).Server.SendAsync(method, path, change: request =>
        {
            if (accept is not null) request.Headers.Add("Accept", accept);
        });
        (answer.Status, answer.Body, answer.Header("Content-Type")).ShouldBe((status, body, "application/json"));
    }

    [Fact]
    public async Task A_person_is_sent_to_the_sign_in_and_back_and_sees_errors_as_pages()
    {
        var server = await worlds.ProbesAsync(postgres);
        var away = await server.SendAsync("GET", "/page?q=a b&r=1");
        (away.Status, away.Header("Location")).ShouldBe((302, "/login?next=%2Fpage%3Fq%3Da%2520b%26r%3D1"));
        var posted = await server.SendAsync("POST", "/page");
        (posted.Status, posted.Body).ShouldBe((401, """{"detail":"Missing or invalid Authorization header"}"""));

        void Html(HttpRequestMessage request) => request.Headers.Add("Accept", "text/html,application/xhtml+xml");
        var page = await server.SendAsync("GET", "/nowhere/<b>", change: Html);
        page.Status.ShouldBe(404);
        page.Header("Content-Type")!.ShouldStartWith("text/html");
        page.Body.ShouldContain("Page not found");
        page.Body.ShouldContain(page.Header("x-request-id")!);
        page.Body.ShouldNotContain("<b>");
    }

    [Theory]
    [InlineData("GET", "/api/none", 404, "Page not found")]
    [InlineData("POST", "/auth/password/login/web", 422, "Go back and fill it in again")]
    [InlineData("POST", "/auth/none", 405, "Method Not Allowed")]
    [InlineData("GET", "/auth/none", 404, "Page not found")]
    [InlineData("GET", "/api/broken", 500, "Internal server error")]
    [InlineData("GET", "/api/full", 503, "disk")]
    public async Task A_guest_whose_browser_goes_somewhere_sees_a_page_and_never_json(string method, string path, int status, string says)
    {
        var server = await worlds.ProbesAsync(postgres);
        foreach (var mode in (string?[])["navigate", null])
        {
            if (mode is null && path.StartsWith("/api/", StringComparison.Ordinal)) continue; // over plain http a browser does not say that it is one; these paths are programs'
            var answer = await server.SendAsync(method, path, method == "POST" ? "x=y" : null, change: request => Navigates(request, mode));
            (answer.Status, answer.Header("Content-Type")).ShouldBe((status, "text/html; charset=utf-8"));
            answer.Body.ShouldContain(says);
        }
    }

    [Fact]
    public async Task A_guest_whose_browser_goes_to_a_closed_address_is_sent_to_the_sign_in()
    {
        var server = await worlds.ProbesAsync(postgres);
        var away = await server.SendAsync("GET", "/api/users", change: request => Navigates(request, "navigate"));
        (away.Status, away.Header("Location")).ShouldBe((302, "/login?next=%2Fapi%2Fusers"));
        (await server.SendAsync("GET", "/api/users", change: request => Navigates(request, "cors"))).Body.ShouldStartWith("{\"detail\"");
    }

    private static void Navigates(HttpRequestMessage request, string? mode)
    {
        request.Headers.Add("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        if (mode is not null) request.Headers.Add("Sec-Fetch-Mode", mode);
    }

    [Fact]
    public async Task A_failure_says_its_reference_and_nothing_else()
    {
        var server = await worlds.ProbesAsync(postgres);
        var broken = await server.SendAsync("GET", "/api/broken");
        broken.Status.ShouldBe(500);
        broken.Body.ShouldBe($$"""{"detail":"Internal server error","request_id":"{{broken.Header("x-request-id")}}"}""");
        var page = await server.SendAsync("GET", "/broken", change: request => request.Headers.Add("Accept", "text/html"));
        page.Status.ShouldBe(500);
        page.Body.ShouldContain(page.Header("x-request-id")!);
        page.Body.ShouldNotContain("secret");
        var full = await server.SendAsync("GET", "/api/full");
        (full.Status, full.Header("Retry-After")).ShouldBe((503, "1"));
        full.Body.ShouldContain("disk");
        full.Body.ShouldNotContain("secret");
        (await server.SendAsync("GET", "/api/taken")).Body.ShouldBe("""{"detail":{"code":"code_of_it","message":"What to do next."}}""");

        await using var debug = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { Debug = true }, map: Probes.Map);
        var shown = await debug.SendAsync("GET", "/api/broken");
        shown.Text("error").ShouldContain("Host=db");
        shown.Body.ShouldNotContain("hunter2");
    }

    [Theory]
    [InlineData("/api/large", 5_000, true)]
    [InlineData("/api/large", 1_024, true)]
    [InlineData("/api/large", 1_023, false)]
    [InlineData("/api/data/large", 5_000, false)]
    [InlineData("/cli/wheel/large", 5_000, false)]
    public async Task Answers_worth_it_are_compressed_and_files_never(string path, int length, bool compressed)
    {
        var server = await worlds.ProbesAsync(postgres);
        using var client = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = System.Net.DecompressionMethods.None });
        client.DefaultRequestHeaders.AcceptEncoding.Add(new StringWithQualityHeaderValue("gzip"));
        using var answer = await client.GetAsync($"{server.Url}{path}?length={length}");
        answer.Content.Headers.ContentEncoding.ShouldBe(compressed ? ["gzip"] : []);
        if (!compressed) answer.Content.Headers.ContentLength.ShouldBe(length);
    }

    [Fact]
    public async Task A_body_larger_than_the_endpoint_takes_is_refused()
    {
        var server = await worlds.ProbesAsync(postgres);
        var answer = await server.SendAsync("POST", "/api/echo", $$"""{"a":"{{new string('a', 2_000)}}"}""");
        answer.Status.ShouldBe(413);
        answer.Text("detail").ShouldNotBeEmpty();
        (await server.SendAsync("POST", "/api/echo", """{"a":"b"}""")).Body.ShouldBe("\"b\"");
        (await server.SendAsync("POST", "/auth/token", $$"""{"email":"{{new string('a', 2_000_000)}}"}""", change: request => request.Headers.ExpectContinue = true)).Status.ShouldBe(413);
    }

    [Fact]
    public async Task A_refused_body_leaves_the_connection_to_the_next_request()
    {
        var server = await worlds.ProbesAsync(postgres);
        using var client = new TcpClient();
        var address = new Uri(server.Url);
        await client.ConnectAsync(address.Host, address.Port, TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.ASCII);
        (await StatusAsync($$"""{"a":"{{new string('a', 2_000)}}"}""")).ShouldBe("HTTP/1.1 413 Payload Too Large");
        (await StatusAsync("""{"a":"b"}""")).ShouldBe("HTTP/1.1 200 OK");

        async Task<string?> StatusAsync(string body)
        {
            var stop = TestContext.Current.CancellationToken;
            await stream.WriteAsync(Encoding.ASCII.GetBytes(
                $"POST /api/echo HTTP/1.1\r\nHost: {address.Authority}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"), stop);
            var status = await reader.ReadLineAsync(stop);
            int? length = null;
            while (await reader.ReadLineAsync(stop) is { Length: > 0 } header)
                if (header.StartsWith("Content-Length: ", StringComparison.Ordinal)) length = int.Parse(header["Content-Length: ".Length..]);
            if (length is { } characters) await reader.ReadBlockAsync(new char[characters], stop);
            else while (await reader.ReadLineAsync(stop) is { Length: > 0 }) { } // chunks: the last of them is followed by an empty line
            return status;
        }
    }

    [Theory]
    [InlineData("""{"a":"\u0000"}""", "value_error")]
    [InlineData("""{"a":"\ud800"}""", "value_error")]
    [InlineData("""{"a":null}""", "string_type")]
    [InlineData("""{"a":["b"]}""", "string_type")]
    [InlineData("""{"a":"b",}""", "json_invalid")]
    [InlineData("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "json_invalid")]
    [InlineData("""{"b":"b"}""", "missing")]
    public async Task Odd_bodies_are_refused_with_their_fault(string body, string type)
    {
        var server = await worlds.ProbesAsync(postgres);
        var answer = await server.SendAsync("POST", "/api/echo", body);
        answer.Status.ShouldBe(422, answer.Body);
        answer.Json["detail"]![0]!["type"]!.GetValue<string>().ShouldBe(type);
    }

    [Theory]
    [InlineData("http://localhost:3000", true)]
    [InlineData("https://evil.example.com", false)]
    public async Task Only_named_origins_may_read_answers_with_credentials(string origin, bool allowed)
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { CorsOrigins = ["http://localhost:3000"] });
        var preflight = await server.SendAsync("OPTIONS", "/api/users", change: request =>
        {
            request.Headers.Add("Origin", origin);
            request.Headers.Add("Access-Control-Request-Method", "POST");
            request.Headers.Add("Access-Control-Request-Headers", "authorization");
        });
        preflight.Header("Access-Control-Allow-Origin").ShouldBe(allowed ? origin : null);
        preflight.Header("Access-Control-Allow-Credentials").ShouldBe(allowed ? "true" : null);
        (await server.SendAsync("GET", "/api/users", change: request => request.Headers.Add("Origin", origin))).Header("Access-Control-Allow-Origin").ShouldBe(allowed ? origin : null);
    }

    [Fact]
    public async Task Forwarded_addresses_are_believed_from_trusted_proxies_only()
    {
        static void Proxy(HttpRequestMessage request)
        {
            // What the client wrote itself stands left of what the proxy added.
            request.Headers.Add("X-Forwarded-For", "198.51.100.1, 203.0.113.7");
            request.Headers.Add("X-Forwarded-Proto", "https");
        }

        var server = await worlds.ProbesAsync(postgres);
        (await server.SendAsync("GET", "/api/whence", change: Proxy)).Body.ShouldBe("http 127.0.0.1");
        await using var behind = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { TrustedProxies = TestServer.ThisMachine }, map: Probes.Map);
        (await behind.SendAsync("GET", "/api/whence", change: Proxy)).Body.ShouldEndWith(" 203.0.113.7");
        await using var trusting = await TestServer.StartAsync(
            StateEngine.DuckDb, postgres, options => options with { TrustedProxies = [.. TestServer.ThisMachine, System.Net.IPNetwork.Parse("203.0.113.0/24")] }, map: Probes.Map);
        (await trusting.SendAsync("GET", "/api/whence", change: Proxy)).Body.ShouldEndWith(" 198.51.100.1");
    }
}
