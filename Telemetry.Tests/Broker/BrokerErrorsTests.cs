using Grpc.Core;
using Telemetry.Broker;
using Telemetry.Broker.Rpc;
using Telemetry.Broker.Topics;
using Telemetry.Messaging.V1;

namespace Telemetry.Tests.Broker;

public sealed class BrokerErrorsTests
{
    public static TheoryData<ErrorCode> Codes => [.. Enum.GetValues<ErrorCode>()];

    [Theory]
    [MemberData(nameof(Codes))]
    public void Every_code_has_a_status_a_sentence_and_its_own_name(ErrorCode code)
    {
        var error = BrokerErrors.Of(code);
        Assert.Equal(code == ErrorCode.Ok, error.Status == StatusCode.OK);
        Assert.Equal(code == ErrorCode.Ok, error.Sentence.Length == 0);
        Assert.Equal(error.Retriable, BrokerErrors.RetryAfterMs(code) > 0);
        Assert.Equal(code.ToString(), BrokerErrors.Name(code).Replace("_", "", StringComparison.Ordinal), ignoreCase: true);
    }

    [Fact]
    public void What_can_be_retried_says_when()
    {
        var full = BrokerErrors.ToRpc(ErrorCode.PartitionFull, "");
        Assert.Equal(("PARTITION_FULL", "250"), (full.Trailers.GetValue("queue-error"), full.Trailers.GetValue("grpc-retry-pushback-ms")));
        Assert.Equal("the partition is full of records that a group has not read", full.Status.Detail);
        Assert.Null(BrokerErrors.ToRpc(ErrorCode.InvalidRequest, "topic: is empty").Trailers.GetValue("grpc-retry-pushback-ms"));
    }

    [Theory]
    [InlineData("telemetry")]
    [InlineData("a.b_c-d/e9")]
    public void Names_have_letters_digits_and_a_few_signs(string name) => Assert.Equal(name, Names.Topic(name));

    [Theory]
    [InlineData("a:b")]
    [InlineData("ä")]
    [InlineData("a\0")]
    [InlineData("a\"")]
    public void Other_characters_are_refused_in_a_topic(string name) => Assert.Throws<BrokerException>(() => Names.Topic(name));

    [Fact]
    public void Groups_and_producers_may_have_colons_and_ids_are_longer()
    {
        Assert.Equal("a:b", Names.Group("a:b"));
        Assert.Equal("a:b", Names.Producer("a:b"));
        Assert.Equal(249, Names.Topic(new string('a', 249)).Length);
        Assert.Throws<BrokerException>(() => Names.Topic(new string('a', 250)));
        Assert.Throws<BrokerException>(() => Names.Group(new string('a', 250)));
        Assert.Equal(512, Names.Producer(new string('a', 512)).Length);
        Assert.Throws<BrokerException>(() => Names.Producer(new string('a', 513)));
        Assert.Throws<BrokerException>(() => Names.Client(new string('a', 513)));
    }
}
