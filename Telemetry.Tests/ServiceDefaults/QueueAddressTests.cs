using Telemetry.ServiceDefaults;
using Telemetry.ServiceDefaults.Settings;

namespace Telemetry.Tests.ServiceDefaults;

public sealed class QueueAddressTests
{
    private static Func<string, string?> Environment(params (string Name, string Value)[] variables) =>
        name => variables.FirstOrDefault(v => v.Name == name).Value;

    [Fact]
    public void The_setting_wins_over_a_reference() =>
        Assert.Equal("queue:1234", QueueAddress.Resolve("queue:1234", Environment(("BROKER_GRPC", "http://other:1"))));

    [Fact]
    public void The_default_stands_where_nothing_is_set()
    {
        Assert.Equal("localhost:9090", QueueAddress.Resolve("", Environment()));
        Assert.Null(QueueAddress.TryResolve("", Environment()));
    }

    [Theory]
    [InlineData("BROKER_GRPC")]
    [InlineData("services__broker__grpc__0")]
    [InlineData("services__broker__http__0")]
    public void A_reference_of_an_aspire_host_is_used(string name) =>
        Assert.Equal("http://localhost:5001", QueueAddress.Resolve("", Environment((name, "http://localhost:5001"))));

    [Fact]
    public void The_most_specific_reference_wins() =>
        Assert.Equal("http://a:1", QueueAddress.Resolve("", Environment(("services__broker__http__0", "http://b:2"), ("BROKER_GRPC", "http://a:1"))));

    [Theory]
    [InlineData("localhost:9090")]
    [InlineData("[::1]:9090")]
    [InlineData("127.0.0.1:1")]
    [InlineData("http://broker:9090")]
    [InlineData("http://broker:9090/")]
    [InlineData("https://broker")]
    public void Hosts_with_ports_and_urls_are_accepted(string value) => Assert.Equal(value, QueueAddress.Resolve(value, Environment()));

    [Theory]
    [InlineData("localhost")]
    [InlineData(":9090")]
    [InlineData("host:port")]
    [InlineData("host:99999")]
    [InlineData("ftp://broker:9090")]
    [InlineData("http://broker:9090/path")]
    [InlineData("http://user:secret@broker:9090")]
    [InlineData("a b:1")]
    public void Anything_else_is_refused_by_the_name_of_its_variable(string value)
    {
        var error = Assert.Throws<SettingException>(() => QueueAddress.Resolve(value, Environment()));
        Assert.StartsWith("MESSAGEQUEUE_ADDR: ", error.Message, StringComparison.Ordinal);
        Assert.Contains("expected host:port", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<SettingException>(() => QueueAddress.Resolve("", Environment(("BROKER_GRPC", value))));
        Assert.StartsWith("BROKER_GRPC: ", error.Message, StringComparison.Ordinal);
    }
}
