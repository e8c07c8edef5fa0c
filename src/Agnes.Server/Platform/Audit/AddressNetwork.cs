using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Agnes.Server.Platform.Audit;

/// <summary>Whoever cannot be told apart by address: /24 of IPv4, /64 of IPv6.</summary>
internal readonly record struct AddressNetwork(bool IsV6, ulong Bits)
{
    private const int AddressBytes = 16;
    private const int V4Bytes = 4;
    private const int V4HostBits = 8;

    public static AddressNetwork Of(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[AddressBytes];
        address.TryWriteBytes(bytes, out _);
        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? new AddressNetwork(true, BinaryPrimitives.ReadUInt64BigEndian(bytes))
            : new AddressNetwork(false, BinaryPrimitives.ReadUInt32BigEndian(bytes) >> V4HostBits);
    }

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[AddressBytes];
        bytes.Clear();
        if (IsV6) BinaryPrimitives.WriteUInt64BigEndian(bytes, Bits);
        else BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)Bits << V4HostBits);
        return IsV6 ? $"{new IPAddress(bytes)}/64" : $"{new IPAddress(bytes[..V4Bytes])}/24";
    }
}
