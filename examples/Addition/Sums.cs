// Sums as text: different ones made up, and written as the network reads and says them.

namespace Addition;

/// <summary>Questions "535+61" and answers "596".</summary>
internal sealed class Sums
{
    /// <summary>The characters, in the order of their numbers: one that stands for nothing, and those of sums.</summary>
    public const string Characters = " +0123456789";

    private readonly int digits;

    private Sums(int digits, IReadOnlyList<(int A, int B)> pairs)
    {
        this.digits = digits;
        Pairs = pairs;
    }

    public IReadOnlyList<(int A, int B)> Pairs { get; }

    public int QuestionLength => (2 * digits) + 1;

    public int AnswerLength => digits + 1;

    /// <summary>So many different sums; a + b and b + a count as one. Numbers of one digit are as likely as those of three.</summary>
    public static Sums MakeUp(int count, int digits, int seed)
    {
        var random = new System.Random(seed);
        int Number() => random.Next((int)Math.Pow(10, random.Next(1, digits + 1)));

        var known = new HashSet<(int, int)>();
        var pairs = new List<(int, int)>();
        while (pairs.Count < count)
        {
            var (a, b) = (Number(), Number());
            if (known.Add((Math.Min(a, b), Math.Max(a, b)))) pairs.Add((a, b));
        }
        return new(digits, pairs);
    }

    /// <summary>The first sums, and the others.</summary>
    public (Sums First, Sums Others) Split(int count) => (new(digits, [.. Pairs.Take(count)]), new(digits, [.. Pairs.Skip(count)]));

    public string Question(int i) => $"{Pairs[i].A}+{Pairs[i].B}".PadRight(QuestionLength);

    public string Answer(int i) => $"{Pairs[i].A + Pairs[i].B}".PadRight(AnswerLength);

    /// <summary>The questions from their last character to the first, a place for each character: [sums, characters, 12]. What
    /// the answer begins with is then near to where the network begins to answer.</summary>
    public Tensor Questions() => Numbers(i => string.Concat(Question(i).Reverse()), QuestionLength).OneHot(Characters.Length);

    /// <summary>The answers as numbers of characters: [sums, characters].</summary>
    public Tensor Answers() => Numbers(Answer, AnswerLength);

    /// <summary>What the network said, as text.</summary>
    public static string[] Read(Tensor probabilities) =>
        [.. probabilities.ArgMax().ToRows().Select(row => string.Concat(row.Select(number => Characters[(int)number])))];

    private Tensor Numbers(Func<int, string> text, int length) =>
        Tensor.Of<int>([.. Enumerable.Range(0, Pairs.Count).SelectMany(i => text(i).Select(c => Characters.IndexOf(c)))], [Pairs.Count, length]);
}
