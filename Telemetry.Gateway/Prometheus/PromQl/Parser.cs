using System.Globalization;

namespace Telemetry.Gateway.Prometheus.PromQl;

/// <summary>
/// Reads PromQL by recursive descent, with Prometheus's precedences:
/// <code>
///   or | and unless | == != &gt; &lt; &gt;= &lt;= | + - | * / % | unary + - | ^ (from the right) | selector, call, aggregation, ( ), number
/// </code>
/// What Prometheus knows and this gateway does not is refused by name and position.
/// </summary>
internal sealed partial class Parser
{
    /// <summary>The longest query.</summary>
    public const int LengthMax = 65_536;

    /// <summary>How deep brackets, calls and signs may be in each other.</summary>
    public const int DepthMax = 100;

    /// <summary>The most operators, calls and selectors.</summary>
    public const int PartsMax = 1_000;

    private static readonly string[][] Levels = [["or"], ["and", "unless"], ["==", "!=", ">", "<", ">=", "<="], ["+", "-"], ["*", "/", "%", "atan2"]];

    private readonly string _text;
    private readonly IReadOnlyList<Token> _tokens;
    private int _at;
    private int _depth;
    private int _parts;

    private Parser(string text)
    {
        _text = text;
        _tokens = Lexer.Read(text);
    }

    /// <summary>Reads a query.</summary>
    /// <exception cref="PromQlException">It is none, or has something that is not supported.</exception>
    public static Expression Parse(string text)
    {
        if (text.Length > LengthMax)
            throw new PromQlException(PromQlFault.BadData, $"the query has {text.Length} characters, at most {LengthMax} are possible");
        var parser = new Parser(text);
        if (parser.Token.Kind == TokenKind.End)
            throw new PromQlException(PromQlFault.BadData, "1:1: parse error: no expression found in input");
        var expression = parser.ReadBinary(0);
        return parser.Token.Kind == TokenKind.End ? expression : throw parser.Unexpected("after the expression");
    }

    /// <summary>Reads a selector without a range, as <c>match[]</c> has it.</summary>
    /// <exception cref="PromQlException">It is something else.</exception>
    public static Selector ParseSelector(string text) =>
        Parse(text) is Selector { RangeMs: 0, OffsetMs: 0, Anchor: Anchor.None } selector
            ? selector
            : throw new PromQlException(PromQlFault.BadData, "1:1: parse error: expected a selector, such as gpu_utilization{host_id=\"node-1\"}");

    private Token Token => _tokens[_at];

    private Token After => _tokens[Math.Min(_at + 1, _tokens.Count - 1)];

    private Expression ReadBinary(int level)
    {
        if (level == Levels.Length)
            return ReadUnary();
        var left = ReadBinary(level + 1);
        while (OperatorOf(Levels[level]) is { } op)
        {
            var position = Token.Position;
            if (op == "atan2")
                throw NotSupported(position, "atan2");
            _at++;
            left = ReadRight(left, op, position, level);
        }
        return left;
    }

    private Binary ReadRight(Expression left, string op, int position, int level)
    {
        var isBool = Token.IsWord("bool");
        if (isBool)
            _at++;
        var matching = ReadMatching();
        var right = level < Levels.Length ? ReadBinary(level + 1) : ReadUnary();
        Count(position);
        var binary = new Binary(left.Position, op, left, right, isBool, matching ?? new Matching([], IsOn: false));
        foreach (var side in new[] { left, right })
        {
            if (side.Type is ResultType.Matrix or ResultType.Text)
                throw Error(side.Position, "binary expression must contain only scalar and instant vector types");
            if (op is "and" or "or" or "unless" && side.Type == ResultType.Scalar)
                throw Error(position, $"set operator \"{op}\" not allowed in binary scalar expression");
        }
        if (isBool && !binary.IsComparison)
            throw Error(position, "bool modifier can only be used on comparison operators");
        if (binary.IsComparison && !isBool && binary.Type == ResultType.Scalar)
            throw Error(position, "comparisons between scalars must use BOOL modifier");
        if (matching is not null && (left.Type == ResultType.Scalar || right.Type == ResultType.Scalar))
            throw Error(position, "vector matching only allowed between instant vectors");
        return binary;
    }

    private string? OperatorOf(string[] level) => Array.Find(level, op => char.IsLetter(op[0]) ? Token.IsWord(op) : Token.Is(op));

    private Matching? ReadMatching()
    {
        if (!(Token.IsWord("on") || Token.IsWord("ignoring")) || !After.Is("("))
            return null;
        var isOn = Token.IsWord("on");
        _at++;
        var matching = new Matching(ReadLabels(), isOn);
        if (Token.IsWord("group_left") || Token.IsWord("group_right"))
            throw NotSupported(Token.Position, Token.Text);
        return matching;
    }

    private Expression ReadUnary()
    {
        if (!Token.Is("-") && !Token.Is("+"))
            return ReadPower();
        var sign = Token;
        using (Deeper(sign.Position))
        {
            _at++;
            var of = ReadUnary();
            if (of.Type is ResultType.Matrix or ResultType.Text)
                throw Error(of.Position, "unary expression only allowed on expressions of type scalar or instant vector");
            Count(sign.Position);
            return sign.Text == "+" ? of : of is NumberLiteral number ? number with { Value = -number.Value, Position = sign.Position } : new Negation(sign.Position, of);
        }
    }

    private Expression ReadPower()
    {
        var left = ReadPostfix(ReadPrimary());
        if (!Token.Is("^"))
            return left;
        var position = Token.Position;
        using (Deeper(position))
        {
            _at++;
            return ReadRight(left, "^", position, Levels.Length); // what follows may have a sign, and a power of its own
        }
    }

    private Expression ReadPrimary()
    {
        var token = Token;
        Count(token.Position);
        switch (token.Kind)
        {
            case TokenKind.Number:
                _at++;
                return new NumberLiteral(token.Position, double.Parse(token.Text, NumberStyles.Float, CultureInfo.InvariantCulture));
            case TokenKind.Duration:
                return new NumberLiteral(token.Position, ReadDuration("as a number of seconds") / 1000.0);
            case TokenKind.Text:
                _at++;
                return new TextLiteral(token.Position, token.Text);
            case TokenKind.Symbol when token.Text == "(":
                using (Deeper(token.Position))
                {
                    _at++;
                    var inner = ReadBinary(0);
                    Expect(")", "in parentheses");
                    // A range or an offset may not follow a parenthesis; only a selector that stands alone may have one.
                    return inner with { Position = token.Position };
                }
            case TokenKind.Symbol when token.Text == "{":
                return ReadSelector(null);
            case TokenKind.Name:
                return ReadNamed(token);
            default:
                throw Unexpected("where an expression should be");
        }
    }

    private Expression ReadNamed(Token name)
    {
        if (Function.Aggregations.TryGetValue(name.Text, out var takesNumber) && (After.Is("(") || After.IsWord("by") || After.IsWord("without")))
            return ReadAggregate(takesNumber);
        if (Function.AggregationsElsewhere.Contains(name.Text) && (After.Is("(") || After.IsWord("by") || After.IsWord("without")))
            throw NotSupported(name.Position, $"the aggregation {name.Text}");
        if (After.Is("("))
            return ReadCall(name);
        if (name.Text.ToUpperInvariant() is "INF" or "NAN")
        {
            _at++;
            return new NumberLiteral(name.Position, name.IsWord("inf") ? double.PositiveInfinity : double.NaN);
        }
        if (Array.Exists(Words, name.IsWord))
            throw Unexpected("where an expression should be");
        _at++;
        return ReadSelector(name);
    }

    private Call ReadCall(Token name)
    {
        if (Function.Find(name.Text) is not { } function)
        {
            throw Function.IsElsewhere(name.Text)
                ? NotSupported(name.Position, $"the function {name.Text}")
                : Error(name.Position, $"unknown function with name {name.Shown}");
        }
        using (Deeper(name.Position))
        {
            _at++;
            var arguments = ReadArguments();
            if (arguments.Count < function.ArgumentsMin || arguments.Count > function.Arguments.Length)
                throw Error(name.Position, $"expected {function.ArgumentsMin} argument(s) in call to \"{function.Name}\", got {arguments.Count}");
            for (var i = 0; i < arguments.Count; i++)
                Require(arguments[i], function.Arguments[i], $"call to function \"{function.Name}\"");
            return new Call(name.Position, function, arguments);
        }
    }

    private Aggregate ReadAggregate(bool takesNumber)
    {
        var op = Token;
        using (Deeper(op.Position))
        {
            _at++;
            var grouping = ReadGrouping();
            if (!Token.Is("("))
                throw Unexpected("in aggregation");
            var arguments = ReadArguments();
            grouping ??= ReadGrouping();
            var count = takesNumber ? 2 : 1;
            if (arguments.Count != count)
                throw Error(op.Position, $"wrong number of arguments for aggregate expression provided, expected {count}, got {arguments.Count}");
            if (takesNumber)
                Require(arguments[0], ResultType.Scalar, "aggregation parameter");
            Require(arguments[^1], ResultType.Vector, "aggregation expression");
            return new Aggregate(op.Position, op.Text.ToLowerInvariant(), arguments[^1], takesNumber ? arguments[0] : null,
                grouping?.Labels ?? [], grouping?.IsWithout ?? false);
        }
    }

    private (IReadOnlyList<string> Labels, bool IsWithout)? ReadGrouping()
    {
        if (!Token.IsWord("by") && !Token.IsWord("without"))
            return null;
        var isWithout = Token.IsWord("without");
        _at++;
        return (ReadLabels(), isWithout);
    }

    private List<Expression> ReadArguments()
    {
        Expect("(", "in call");
        var arguments = new List<Expression>();
        if (!Token.Is(")"))
        {
            arguments.Add(ReadBinary(0));
            while (Token.Is(","))
            {
                _at++;
                arguments.Add(ReadBinary(0));
            }
        }
        Expect(")", "in call");
        return arguments;
    }

    private void Require(Expression expression, ResultType type, string where)
    {
        if (expression.Type != type)
            throw Error(expression.Position, $"expected type {Name(type)} in {where}, got {Name(expression.Type)}");
    }

    /// <summary>A type as Prometheus calls it.</summary>
    public static string Name(ResultType type) => type switch
    {
        ResultType.Scalar => "scalar",
        ResultType.Vector => "instant vector",
        ResultType.Matrix => "range vector",
        _ => "string",
    };
}
