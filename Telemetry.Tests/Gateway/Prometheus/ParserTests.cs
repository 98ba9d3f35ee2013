using CsCheck;
using Telemetry.Gateway.Prometheus;
using Telemetry.Gateway.Prometheus.PromQl;

namespace Telemetry.Tests.Gateway.Prometheus;

public sealed class ParserTests
{
    [Theory]
    [InlineData("1 + 2 * 3", "(1 + (2 * 3))")]
    [InlineData("1 - 2 - 3", "((1 - 2) - 3)")]
    [InlineData("2 ^ 3 ^ 2", "(2 ^ (3 ^ 2))")]
    [InlineData("-2 ^ 2", "-(2 ^ 2)")]
    [InlineData("2 ^ -3 * 4", "((2 ^ -3) * 4)")]
    [InlineData("-x * 2", "(-x * 2)")]
    [InlineData("a or b and c unless d", "(a or ((b and c) unless d))")]
    [InlineData("a > bool 1 == bool 0", "((a > 1) == 0)")]
    [InlineData("a + b == c", "((a + b) == c)")]
    [InlineData("0x1F + .5e1 + 1E-2 + Inf", "(((31 + 5) + 0.01) + ∞)")]
    [InlineData("SUM BY (a, b) (x)", "sum(x)by(a,b)")]
    [InlineData("sum(x) without (a,)", "sum(x)without(a)")]
    [InlineData("topk(3, rate(x{a=\"b\",}[5m] offset 1h))", "topk(3,rate(__name__=x,a=b[300000]-3600000))by()")]
    [InlineData("{__name__=~\"a|b\", c!='d', e!~`\\d+`}", "__name__=~a|b,c!=d,e!~\\d+")]
    [InlineData("x[1h30m] @ 12.5 offset -5m", "x[5400000]@12500+300000")]
    [InlineData("x @ start()", "x@Start")]
    [InlineData("  # a comment\n x # another", "x")]
    [InlineData("by{on=\"x\"}", null)]
    [InlineData("sum", "sum")]
    [InlineData("a:b_c:d", "a:b_c:d")]
    [InlineData("\"a\\n\\u00e9\\x41\"", "'a\né" + "A'")]
    [InlineData("a / on (h) b", "(a / b)")]
    public void Queries_are_read_with_prometheus_precedences(string query, string? expected)
    {
        if (expected is null)
            Assert.Equal(PromQlFault.BadData, Assert.Throws<PromQlException>(() => Parser.Parse(query)).Fault);
        else
            Assert.Equal(expected, Show(Parser.Parse(query)));
    }

    [Theory]
    [InlineData("", "1:1: parse error: no expression found in input")]
    [InlineData("1 +", "1:4: parse error: unexpected end of input where an expression should be")]
    [InlineData("sum(\nx", "2:2: parse error: unexpected end of input in call, expected \")\"")]
    [InlineData("x{a=b}", "1:5: parse error: unexpected \"b\" in label matching, expected a quoted text")]
    [InlineData("x{a=\"b}", "1:5: parse error: unterminated quoted string")]
    [InlineData("x{a=~\"(\"}", "1:6: parse error: the pattern \"(\" cannot be used: Invalid pattern")]
    [InlineData("x{a=~\"(a)\\\\1\"}", "1:6: parse error: the pattern \"(a)\\1\" cannot be used: ")]
    [InlineData("{}", "1:1: parse error: vector selector must contain at least one non-empty matcher")]
    [InlineData("{a=~\".*\"}", "1:1: parse error: vector selector must contain at least one non-empty matcher")]
    [InlineData("x[a]", "1:3: parse error: unexpected \"a\" in a range, expected a duration")]
    [InlineData("x[0s]", "1:2: parse error: duration must be greater than 0")]
    [InlineData("(x)[5m]", "1:4: parse error: ranges only allowed for vector selectors")]
    [InlineData("x offset 5m[5m]", "1:12: parse error: no offset or @ modifiers allowed before range")]
    [InlineData("rate(x)", "1:6: parse error: expected type range vector in call to function \"rate\", got instant vector")]
    [InlineData("abs(x, 1)", "1:1: parse error: expected 1 argument(s) in call to \"abs\", got 2")]
    [InlineData("rat(x)", "1:1: parse error: unknown function with name \"rat\"")]
    [InlineData("1 > 2", "1:3: parse error: comparisons between scalars must use BOOL modifier")]
    [InlineData("x + bool 1", "1:3: parse error: bool modifier can only be used on comparison operators")]
    [InlineData("x and 1", "1:3: parse error: set operator \"and\" not allowed in binary scalar expression")]
    [InlineData("topk(x)", "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1")]
    [InlineData("1y1s2h", "1:1: parse error: unexpected \"1y1s2h\" as a number of seconds, expected a duration")]
    [InlineData("x{a=~\"a)|(?:b\"}", "1:6: parse error: the pattern \"a)|(?:b\" cannot be used: ")]
    [InlineData("x{a=~\"n-[[:digit:]]\"}", "1:6: parse error: the pattern \"n-[[:digit:]]\" cannot be used: classes such as [[:digit:]]")]
    [InlineData("x y", "1:3: parse error: unexpected \"y\" after the expression")]
    [InlineData("x § y", "1:3: parse error: unexpected character: '§'")]
    public void What_is_no_query_is_refused_by_place_and_reason(string query, string expected)
    {
        var error = Assert.Throws<PromQlException>(() => Parser.Parse(query));
        Assert.Equal(PromQlFault.BadData, error.Fault);
        Assert.StartsWith(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1 + predict_linear(x[5m], 3600)", "1:5: the function predict_linear is not supported here")]
    [InlineData("quantile(0.9, x)", "1:1: the aggregation quantile is not supported here")]
    [InlineData("max_over_time(rate(x[5m])[1h:5m])", "1:26: a subquery is not supported here")]
    [InlineData("max_over_time(x[1h:])", "1:16: a subquery is not supported here")]
    [InlineData("a * on (h) group_left (m) b", "1:12: group_left is not supported here")]
    [InlineData("a atan2 b", "1:3: atan2 is not supported here")]
    public void What_is_not_supported_is_named_with_its_place(string query, string expected)
    {
        var error = Assert.Throws<PromQlException>(() => Parser.Parse(query));
        Assert.Equal((PromQlFault.Execution, expected), (error.Fault, error.Message));
    }

    [Fact]
    public void A_duration_is_a_number_of_seconds_and_a_number_a_duration()
    {
        Assert.Equal(600, Assert.IsType<NumberLiteral>(Parser.Parse("10m")).Value);
        Assert.Equal(300_000, Assert.IsType<Selector>(Parser.Parse("x[300]")).RangeMs);
        Assert.Equal(1_500, Assert.IsType<Selector>(Parser.Parse("x offset 1.5")).OffsetMs);
        Assert.True(Matcher.Of("a", "=~", "(?P<n>x.y)").Matches("x\ny"));
    }

    [Theory]
    [InlineData(0.00001, "0.00001")]
    [InlineData(-0.000012345, "-0.000012345")]
    [InlineData(1e-7, "1e-07")]
    [InlineData(1.5e300, "1.5e+300")]
    [InlineData(9223372036854775808.0, "9223372036854776000")]
    [InlineData(1e20, "100000000000000000000")]
    [InlineData(1e21, "1e+21")]
    [InlineData(412.5, "412.5")]
    public void Numbers_are_written_as_prometheus_writes_them(double value, string expected) => Assert.Equal(expected, QueryResult.Text(value));

    [Theory]
    [InlineData("(", ")")]
    [InlineData("abs(", ")")]
    [InlineData("sum(", ")")]
    [InlineData("-", "")]
    [InlineData("1^", "")]
    public void Nesting_is_bounded(string open, string close)
    {
        string Nested(int depth) => string.Concat(Enumerable.Repeat(open, depth)) + "x" + string.Concat(Enumerable.Repeat(close, depth));
        Assert.NotNull(Parser.Parse(Nested(Parser.DepthMax)));
        foreach (var depth in new[] { Parser.DepthMax + 1, 10_000 })
            Assert.Contains("nested deeper than 100", Assert.Throws<PromQlException>(() => Parser.Parse(Nested(depth))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Length_and_number_of_parts_are_bounded()
    {
        Assert.Contains("more than 1000 parts", Assert.Throws<PromQlException>(() => Parser.Parse("1" + string.Concat(Enumerable.Repeat("+1", 2_000)))).Message, StringComparison.Ordinal);
        Assert.Contains("at most 65536", Assert.Throws<PromQlException>(() => Parser.Parse(new string('x', Parser.LengthMax + 1))).Message, StringComparison.Ordinal);
        Assert.Contains("4096", Assert.Throws<PromQlException>(() => Parser.Parse($"x{{a=~\"{new string('.', 5_000)}\"}}")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_the_text_there_is_an_expression_or_an_error_of_its_own()
    {
        string[] pieces = ["sum", " by ", "(", ")", "{", "}", "[", "]", "x", "rate", "5m", "1.5", "0x", "\"a\"", "'", "=~", "!=", "=", ",", "-", "^", "offset ", "@", "start", "bool ", "on", "#", "\n", "1e", "é", "\\", "\0", ":", "topk", "and "];
        Gen.Select(Gen.Int[0, pieces.Length - 1].Array[0, 25], Gen.String[0, 5]).Sample((indices, noise) =>
        {
            var text = string.Concat(indices.Select(i => pieces[i])) + noise;
            try
            {
                Assert.NotNull(Parser.Parse(text));
            }
            catch (PromQlException error)
            {
                Assert.NotEqual("", error.Message);
            }
        }, iter: 20_000);
    }

    [Theory]
    [InlineData("node-1|node-2", "node-1", true)]
    [InlineData("node-1|node-2", "node-12", false)]
    [InlineData("(a|b)", "b", true)]
    [InlineData("10\\.0\\.0\\.1|x", "10.0.0.1", true)]
    [InlineData("10\\.0\\.0\\.1", "10x0.0.1", false)]
    [InlineData("a.*|b", "abc", true)]
    [InlineData("a|", "", true)]
    [InlineData("a$", "a\n", false)]
    public void Patterns_hold_for_the_whole_text(string pattern, string text, bool matches)
    {
        Assert.Equal(matches, Matcher.Of("l", "=~", pattern).Matches(text));
        Assert.Equal(!matches, Matcher.Of("l", "!~", pattern).Matches(text));
    }

    [Theory]
    [InlineData("5m", 300_000)]
    [InlineData("1d12h", 129_600_000)]
    [InlineData("1m1ms", 60_001)]
    [InlineData("1s1m", null)]
    [InlineData("1m1m", null)]
    [InlineData("m", null)]
    [InlineData("101y", null)]
    [InlineData("99999999999999999999s", null)]
    public void Durations_have_each_unit_once(string text, int? milliseconds)
    {
        Assert.Equal(milliseconds is not null, PromDuration.TryParse(text, out var read));
        if (milliseconds is not null)
            Assert.Equal(milliseconds.Value, (int)read);
    }

    private static string Show(Expression expression) => expression switch
    {
        NumberLiteral number => number.Value.ToString("R", System.Globalization.CultureInfo.InvariantCulture).Replace("Infinity", "∞", StringComparison.Ordinal),
        TextLiteral text => $"'{text.Value}'",
        Negation negation => $"-{Show(negation.Of)}",
        Binary binary => $"({Show(binary.Left)} {binary.Operator} {Show(binary.Right)})",
        Call call => $"{call.Function.Name}({string.Join(',', call.Arguments.Select(Show))})",
        Aggregate aggregate => $"{aggregate.Operator}({(aggregate.Parameter is { } p ? Show(p) + "," : "")}{Show(aggregate.Of)}){(aggregate.IsWithout ? "without" : aggregate.Labels.Count > 0 || aggregate.Parameter is not null ? "by" : "")}{(aggregate.IsWithout || aggregate.Labels.Count > 0 || aggregate.Parameter is not null ? $"({string.Join(',', aggregate.Labels)})" : "")}",
        Selector selector => Show(selector),
        _ => throw new InvalidOperationException(),
    };

    private static string Show(Selector selector)
    {
        var name = selector.Matchers is [{ Label: "__name__", Operator: "=" } only] ? only.Value : string.Join(',', selector.Matchers.Select(m => m.Label + m.Operator + m.Value));
        var range = selector.RangeMs > 0 ? $"[{selector.RangeMs}]" : "";
        var anchor = selector.Anchor switch { Anchor.None => "", Anchor.Time => $"@{selector.AnchorMs}", var other => $"@{other}" };
        var offset = selector.OffsetMs switch { 0 => "", > 0 => $"-{selector.OffsetMs}", _ => $"+{-selector.OffsetMs}" };
        return name + range + anchor + offset;
    }
}
