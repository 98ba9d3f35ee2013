using System.Numerics;

namespace Telemetry.Storage.History;

/// <summary>
/// Cuts a number into a token, which is worth entropy coding, and its lowest bits, which are not: a number below
/// 2^<paramref name="DirectBits"/> is its own token; above, the token says how long it is and the first bits after the
/// leading one (<paramref name="LeadingBits"/>).
/// </summary>
internal readonly record struct Tokens(int DirectBits, int LeadingBits)
{
    /// <summary>Numbers from here on are not cut; so a token is below <see cref="CountMax"/>.</summary>
    public const ulong NumberEnd = 1UL << 47;

    /// <summary>The tokens there can be.</summary>
    public const int CountMax = 256;

    /// <summary>The ways to cut among which the writer chooses: few tokens for short columns, exact ones for long ones.</summary>
    public static readonly Tokens[] Choices = [new(1, 0), new(3, 1), new(4, 2), new(6, 2)];

    public int TokenOf(ulong number)
    {
        if (number >> DirectBits == 0)
            return (int)number;
        var length = BitOperations.Log2(number);
        return (1 << DirectBits) + ((length - DirectBits) << LeadingBits) + ((int)(number >> (length - LeadingBits)) & ((1 << LeadingBits) - 1));
    }

    /// <summary>How many of the lowest bits the token does not say.</summary>
    public int RestBits(int token) => token < 1 << DirectBits ? 0 : Length(token) - LeadingBits;

    /// <summary>The smallest number of a token.</summary>
    public ulong First(int token)
    {
        if (token < 1 << DirectBits)
            return (ulong)token;
        var leading = (token - (1 << DirectBits)) & ((1 << LeadingBits) - 1);
        return (1UL << Length(token)) | ((ulong)leading << RestBits(token));
    }

    /// <summary>The token after the last one that a number below <see cref="NumberEnd"/> can have.</summary>
    public int End => (1 << DirectBits) + ((47 - DirectBits) << LeadingBits);

    private int Length(int token) => DirectBits + ((token - (1 << DirectBits)) >> LeadingBits);
}
