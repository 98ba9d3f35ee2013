using Telemetry.Messaging.Client;

namespace Telemetry.Tests.Messaging;

public sealed class QueueAddressTests
{
    [Theory]
    [InlineData("localhost:9090", "http://localhost:9090/")]
    [InlineData(" broker:9090 ", "http://broker:9090/")]
    [InlineData("10.0.0.1:80", "http://10.0.0.1:80/")]
    [InlineData("[::1]:9090", "http://[::1]:9090/")]
    [InlineData("http://broker:9090", "http://broker:9090/")]
    [InlineData("http://broker:9090/", "http://broker:9090/")]
    [InlineData("https://queue.example.com", "https://queue.example.com/")]
    public async Task An_address_is_a_host_and_a_port_or_a_URL(string address, string url)
    {
        await using var connection = new QueueConnection(address);
        Assert.Equal(new Uri(url), connection.Address);
    }

    [Theory]
    [InlineData("")]
    [InlineData("localhost")]
    [InlineData("localhost:")]
    [InlineData("localhost:0")]
    [InlineData("localhost:70000")]
    [InlineData(":9090")]
    [InlineData("[::1]")]
    [InlineData("tcp://broker:9090")]
    [InlineData("http://broker:9090/path")]
    [InlineData("http://user@broker:9090")]
    [InlineData("http://")]
    [InlineData("two words:9090")]
    public void Anything_else_is_refused_with_what_is_accepted(string address)
    {
        var error = Assert.Throws<FormatException>(() => new QueueConnection(address));
        Assert.Contains($"'{address}'", error.Message, StringComparison.Ordinal);
        Assert.Contains("expected host:port", error.Message, StringComparison.Ordinal);
    }
}
