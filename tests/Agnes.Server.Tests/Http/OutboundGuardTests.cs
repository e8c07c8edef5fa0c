using System.Net;
using System.Net.Sockets;
using Agnes.Engine.Outbound;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Tests.Http;

public sealed class OutboundGuardTests
{
    [Theory]
    [InlineData("127.0.0.1"), InlineData("10.1.2.3"), InlineData("100.64.0.1"), InlineData("169.254.169.254"), InlineData("172.31.0.1"), InlineData("192.168.0.1"), InlineData("192.0.0.8")]
    [InlineData("198.18.0.1"), InlineData("224.0.0.1"), InlineData("255.255.255.255"), InlineData("0.0.0.0"), InlineData("::1"), InlineData("::"), InlineData("::ffff:10.0.0.1"), InlineData("::7f00:1")]
    [InlineData("64:ff9b::a00:1"), InlineData("fe80::1"), InlineData("fd00::1"), InlineData("2002:a00:1::"), InlineData("ff02::1"), InlineData("2001:db8::1")]
    [InlineData("2001:0:4136:e378:8000:63bf:3fff:fdd2"), InlineData("::a00:1"), InlineData("100::1"), InlineData("5f00::1"), InlineData("fec0::1"), InlineData("4000::1")]
    public void Addresses_of_no_public_network_are_forbidden(string address) => OutboundGuard.IsForbidden(IPAddress.Parse(address)).ShouldBeTrue();

    [Theory]
    [InlineData("1.1.1.1"), InlineData("172.32.0.1"), InlineData("100.128.0.1"), InlineData("2606:4700::1111"), InlineData("::ffff:1.1.1.1")]
    public void Public_addresses_are_not(string address) => OutboundGuard.IsForbidden(IPAddress.Parse(address)).ShouldBeFalse();

    [Theory]
    [InlineData("https://good.example.com", null)]
    [InlineData("http://good.example.com", "https://")]
    [InlineData("https://mixed.example.com", OutboundGuard.Private)]
    [InlineData("https://nowhere.example.com", "cannot be resolved")]
    [InlineData("https://localhost", OutboundGuard.Private), InlineData("https://x.localhost.", OutboundGuard.Private), InlineData("https://[::ffff:127.0.0.1]", OutboundGuard.Private), InlineData("https://2130706433", OutboundGuard.Private)]
    [InlineData("https://a:b@good.example.com", "user or a password")]
    [InlineData("ftp://good.example.com", "https://"), InlineData("good.example.com", "must be an address"), InlineData("", "must be an address")]
    [InlineData("http://intern.example.com", null)]
    public async Task An_address_is_judged_by_everything_that_it_resolves_to(string url, string? fault)
    {
        var found = await Guard().FaultAsync("stack_url", url, CancellationToken.None);
        if (fault is null) found.ShouldBeNull();
        else found.ShouldNotBeNull().ShouldContain(fault);
    }

    [Fact]
    public async Task The_address_that_is_connected_to_is_the_one_that_was_checked()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var asked = 0;

        // Public when it was configured, this machine when it is used.
        var guard = new OutboundGuard([], (_, _) => Task.FromResult<IPAddress[]>([asked++ == 0 ? IPAddress.Parse("1.1.1.1") : IPAddress.Loopback]));
        (await guard.FaultAsync("url", $"https://rebinding.example.com:{port}", CancellationToken.None)).ShouldBeNull();
        using var client = new HttpClient(guard.CreateHandler());
        (await Should.ThrowAsync<HttpRequestException>(client.GetAsync($"http://rebinding.example.com:{port}/"))).ToString().ShouldContain(OutboundGuard.Private);
        (await Should.ThrowAsync<HttpRequestException>(client.GetAsync($"http://127.0.0.1:{port}/"))).ToString().ShouldContain(OutboundGuard.Private);
        listener.Pending().ShouldBeFalse("nobody knocked");

        using var allowed = new HttpClient(new OutboundGuard(["intern.example.com"], (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback])).CreateHandler());
        var answering = AnswerAsync(listener);
        var answer = await allowed.GetAsync($"http://intern.example.com:{port}/");
        await answering;
        answer.StatusCode.ShouldBe(HttpStatusCode.Found, "and a redirect is not followed");
    }

    private static async Task AnswerAsync(TcpListener listener)
    {
        using var peer = await listener.AcceptTcpClientAsync();
        var stream = peer.GetStream();
        (await stream.ReadAtLeastAsync(new byte[4096], 4)).ShouldBeGreaterThan(0);
        await stream.WriteAsync("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
    }

    private static OutboundGuard Guard() => new(["intern.example.com"], (host, _) => host switch
    {
        "good.example.com" => Task.FromResult<IPAddress[]>([IPAddress.Parse("1.1.1.1")]),
        "mixed.example.com" => Task.FromResult<IPAddress[]>([IPAddress.Parse("1.1.1.1"), IPAddress.Parse("10.0.0.1")]),
        "intern.example.com" => Task.FromResult<IPAddress[]>([IPAddress.Loopback]),
        _ => throw new SocketException((int)SocketError.HostNotFound),
    });
}
