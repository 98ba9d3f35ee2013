using System.Net;
using System.Net.Sockets;
using Telemetry.ServiceDefaults.Commands;

namespace Telemetry.Tests.Broker.Commands;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("topics list", true)]
    [InlineData("nonsense", true)]
    [InlineData("", false)]
    [InlineData("--port 9090", false)]
    [InlineData("--help", false)]
    public void A_command_is_meant_where_the_first_word_is_no_flag(string line, bool expected) =>
        Assert.Equal(expected, CommandProgram.IsMeant(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)));

    [Theory]
    [InlineData("nonsense", "'nonsense' is not accepted: broker takes topics, groups, peek; --help says more")]
    [InlineData("topics", "topics: a command is missing: expected list, describe, create, add-partitions, delete")]
    [InlineData("topics lst", "'lst' is not accepted: topics takes list, describe, create, add-partitions, delete; --help says more")]
    [InlineData("topics list x", "'x' is not accepted: topics list takes --address, --output, --timeout; --help says more")]
    [InlineData("topics create x --partition 3", "'--partition' is not accepted: topics create takes TOPIC, --partitions, --address, --output, --timeout; --help says more")]
    [InlineData("topics describe", "TOPIC: is missing: expected the name of a topic")]
    [InlineData("groups describe", "GROUP: is missing: expected the name of a group")]
    [InlineData("topics describe a:b", "TOPIC: 'a:b' is not accepted: topic: has the character ':'; accepted are letters, digits, '.', '_', '-' and '/'")]
    [InlineData("topics create x --partitions 0", "--partitions: '0' is not accepted: expected a whole number from 1 to 1024")]
    [InlineData("topics create x --partitions 1025", "--partitions: '1025' is not accepted: expected a whole number from 1 to 1024")]
    [InlineData("topics create x --partitions many", "--partitions: 'many' is not accepted: expected a whole number from 1 to 1024")]
    [InlineData("topics create x --partitions", "--partitions: has no value: expected a whole number from 1 to 1024")]
    [InlineData("topics create x --partitions 1 --partitions 2", "--partitions: given 2 times; give it once")]
    [InlineData("topics add-partitions x", "--partitions: is missing: expected a whole number from 1 to 1024")]
    [InlineData("topics add-partitions --partitions 3", "TOPIC: is missing: expected the name of a topic")]
    [InlineData("groups describe g --history 25h", "--history: '25h' is not accepted: expected a duration such as 500ms, 5s or 1m from 1ms to 24h")]
    [InlineData("groups describe g --history 1h --history 2h", "--history: given 2 times; give it once")]
    [InlineData("groups reset g --to-committed-at yesterday", "--to-committed-at: 'yesterday' is not accepted: expected a time in RFC 3339, as 2026-11-23T20:42:34Z or 2026-11-23T21:42:34.5+01:00")]
    [InlineData("topics list -o yaml", "--output: 'yaml' is not accepted: expected table or json")]
    [InlineData("topics list -o 1", "--output: '1' is not accepted: expected table or json")]
    [InlineData("topics list --timeout 0", "--timeout: '0' is not accepted: expected a duration such as 500ms, 5s or 1m from 1ms to 1h")]
    [InlineData("topics list --timeout 5", "--timeout: '5' is not accepted: expected a duration such as 500ms, 5s or 1m from 1ms to 1h")]
    [InlineData("topics list --address localhost", "--address: 'localhost' is not the address of a queue: expected host:port, http://host:port or https://host:port")]
    [InlineData("topics list --address", "--address: has no value: expected host:port, as localhost:9090, or a URL, as http://broker:9090")]
    [InlineData("groups reset g", "--to-offset, --to-time, --to-committed-at, --to-earliest, --to-latest: expected exactly one of them")]
    [InlineData("groups reset g --to-earliest --to-latest", "--to-offset, --to-time, --to-committed-at, --to-earliest, --to-latest: expected exactly one of them")]
    [InlineData("groups reset g --to-offset -1", "--to-offset: '-1' is not accepted: expected a whole number of at least 0")]
    [InlineData("groups reset g --to-time 2026-01-02", "--to-time: '2026-01-02' is not accepted: expected a time in RFC 3339, as 2026-11-23T20:42:34Z or 2026-11-23T21:42:34.5+01:00")]
    [InlineData("groups reset g --to-time 2026-01-02T03:04:05", "--to-time: '2026-01-02T03:04:05' is not accepted: expected a time in RFC 3339, as 2026-11-23T20:42:34Z or 2026-11-23T21:42:34.5+01:00")]
    [InlineData("groups reset g --to-latest --partition 0 x", "--partition: 'x' is not accepted: expected a whole number of at least 0")]
    [InlineData("peek t", "--partition: is missing: expected a whole number of at least 0")]
    [InlineData("peek t --partition 0 --count 0", "--count: '0' is not accepted: expected a whole number from 1 to 100000")]
    [InlineData("peek t --partition 0 --offset 99999999999999999999", "--offset: '99999999999999999999' is not accepted: expected a whole number of at least 0")]
    [InlineData("topics list @file", "'@file' is not accepted: topics list takes --address, --output, --timeout; --help says more")]
    public async Task A_line_that_makes_no_sense_is_refused_with_the_argument_and_what_is_accepted(string line, string refusal) =>
        Assert.Equal("broker: " + refusal, (await CommandRun.OfAsync(line.Split(' '))).Refusal(2));

    [Theory]
    [InlineData("topics --help", "list")]
    [InlineData("topics create --help", "--partitions <number>")]
    [InlineData("groups -h", "resume <GROUP>")]
    [InlineData("groups reset --help", "--dry-run")]
    [InlineData("peek --help", "--count <number>")]
    [InlineData("peek --help", "--address <host:port>")]
    public async Task Every_command_has_help(string line, string part) =>
        Assert.Contains(part, (await CommandRun.OfAsync(line.Split(' '))).Text, StringComparison.Ordinal);

    [Fact]
    public async Task The_address_is_the_flags_then_the_variables_then_the_default()
    {
        await using var broker = await CommandRuns.StartAsync();
        var nobody = $"localhost:{FreePort()}";
        string? Environment(string name) => name == "MESSAGEQUEUE_ADDR" ? broker.Address.Authority : null;
        Assert.Equal("there are no topics", (await CommandRun.OfAsync(["topics", "list"], Environment)).Text);
        Assert.Equal("there are no topics", (await CommandRun.OfAsync(["topics", "list", "--address", broker.Address.ToString()], _ => "")).Text);
        Assert.Contains(nobody, (await CommandRun.OfAsync(["topics", "list", "--address", nobody], Environment)).Refusal(1), StringComparison.Ordinal);
        Assert.Equal(
            "broker: MESSAGEQUEUE_ADDR: 'localhost' is not accepted: expected host:port, as localhost:9090, or a URL, as http://broker:9090",
            (await CommandRun.OfAsync(["topics", "list"], name => name == "MESSAGEQUEUE_ADDR" ? "localhost" : null)).Refusal(2));
    }

    [Fact]
    public async Task A_broker_that_is_not_there_is_named_with_its_address()
    {
        var address = $"localhost:{FreePort()}";
        Assert.Equal(
            $"broker: the broker at http://{address} cannot be reached: Connection refused",
            (await CommandRun.OfAsync(["topics", "list", "--address", address])).Refusal(1));
    }

    [Fact]
    public async Task A_broker_that_does_not_answer_is_given_up_after_the_timeout()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        Assert.Equal(
            $"broker: the broker at http://{silent.LocalEndpoint} did not answer within 200ms",
            (await CommandRun.OfAsync(["groups", "list", "--timeout", "200ms", "--address", $"{silent.LocalEndpoint}"])).Refusal(1));
    }

    [Fact]
    public async Task What_is_no_broker_is_a_refusal_too()
    {
        await using var broker = await CommandRuns.StartAsync();
        Assert.Contains(
            $"{broker.Web.BaseAddress!.Authority}",
            (await CommandRun.OfAsync(["topics", "list", "--address", broker.Web.BaseAddress.Authority])).Refusal(1),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, null, "xterm", true)]
    [InlineData(false, "", null, true)]
    [InlineData(false, "1", "xterm", false)]
    [InlineData(false, "0", "xterm", false)]
    [InlineData(false, null, "dumb", false)]
    [InlineData(true, null, "xterm", false)]
    public void Colours_are_for_terminals_unless_someone_objects(bool redirected, string? noColor, string? term, bool expected) =>
        Assert.Equal(expected, CommandConsole.HasColours(redirected, name => name == "NO_COLOR" ? noColor : name == "TERM" ? term : null));

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
