using System.Net;
using Agnes.Engine.Outbound;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Tests.Walls;

/// <summary>An address of this machine stays one in whatever form of IPv6 it comes.</summary>
public sealed class AddressesInDisguiseTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("10.0.0.1")]
    [InlineData("169.254.169.254")]
    public void Every_form_that_holds_an_IPv4_address_is_forbidden_at_every_place_of_a_destination(string inner)
    {
        var bytes = IPAddress.Parse(inner).GetAddressBytes();
        var hex = $"{bytes[0]:x2}{bytes[1]:x2}:{bytes[2]:x2}{bytes[3]:x2}";
        var guard = new OutboundGuard([], (_, _) => Task.FromResult<IPAddress[]>([]));
        foreach (var form in (string[])[$"::{hex}", $"::ffff:{hex}", $"::ffff:0:{hex}", $"64:ff9b::{hex}", $"64:ff9b:1::{hex}", $"2002:{hex}::1", $"2001::{hex}", $"1::{hex}", $"4000::{hex}"])
        {
            OutboundGuard.IsForbidden(IPAddress.Parse(form)).ShouldBeTrue(form);
            guard.FaultOfHost("smtp_host", form).ShouldNotBeNull(form);
        }
    }
}
