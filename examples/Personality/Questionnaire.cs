// People who answer a questionnaire, made up. There are sixteen types, four letters each. Every letter is asked for by five
// questions answered from 1 (not at all) to 7 (very much), and four more questions ask how seriously the rest is answered.
using System.Globalization;

internal static class Questionnaire
{
    private const int PerLetter = 5;
    private const int Control = 4;
    private static readonly string[] Letters = ["EI", "SN", "TF", "JP"];

    /// <summary>The names of the questions, in the order of a row's columns.</summary>
    public static string[] Questions { get; } =
    [
        .. Letters.SelectMany(letter => Enumerable.Range(1, PerLetter).Select(i => $"{letter}{i}")),
        .. Enumerable.Range(1, Control).Select(i => $"serious{i}"),
    ];

    /// <summary>Writes so many people as CSV: a column for each question, and the type. Half of all people answer the
    /// questions on the last two letters ironically, with the scale turned round; the control questions give them away.
    /// So the mean answers of two types that differ in these letters are nearly the same.</summary>
    public static void Write(string path, int people, int seed)
    {
        var dice = new System.Random(seed);
        using var file = new StreamWriter(path);
        file.WriteLine(string.Join(",", [.. Questions, "type"]));
        for (var i = 0; i < people; i++)
        {
            var ironic = dice.Next(2) == 1;
            var leanings = Letters.Select(_ => dice.Next(2) == 1 ? 1.0 : -1.0).ToArray();
            var answers = new List<string>();
            for (var letter = 0; letter < Letters.Length; letter++)
            {
                var strength = leanings[letter] * (0.7 + 1.0 * dice.NextDouble()) * (ironic && letter >= 2 ? -1.0 : 1.0);
                answers.AddRange(Enumerable.Range(0, PerLetter).Select(_ => Answer(dice, strength)));
            }
            answers.AddRange(Enumerable.Range(0, Control).Select(_ => Answer(dice, ironic ? -1.3 : 1.3)));
            var type = string.Concat(Letters.Select((letter, k) => letter[leanings[k] > 0 ? 0 : 1]));
            file.WriteLine(string.Join(",", [.. answers, type]));
        }
    }

    /// <summary>An answer about the middle of the scale, with a mood of its own.</summary>
    private static string Answer(System.Random dice, double leaning)
    {
        var mood = Math.Sqrt(-2.0 * Math.Log(1.0 - dice.NextDouble())) * Math.Cos(2.0 * Math.PI * dice.NextDouble());
        return Math.Clamp(Math.Round(4.0 + leaning + 1.2 * mood), 1.0, 7.0).ToString(CultureInfo.InvariantCulture);
    }
}
