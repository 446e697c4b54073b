// The baseline: a person belongs to the type whose mean answers are nearest.
internal sealed class NearestCentroid
{
    private readonly double[][] centroids;

    /// <summary>Learns the mean answers of each type that occurs.</summary>
    public NearestCentroid(double[][] answers, int[] types, int count) =>
        centroids =
        [
            .. Enumerable.Range(0, count).Select(type =>
            {
                var members = answers.Where((_, i) => types[i] == type).ToArray();
                return Enumerable.Range(0, answers[0].Length)
                    .Select(q => members.Length == 0 ? double.PositiveInfinity : members.Average(row => row[q])).ToArray();
            }),
        ];

    /// <summary>The type of a person.</summary>
    public int Classify(double[] row) =>
        Enumerable.Range(0, centroids.Length).MinBy(type => centroids[type].Zip(row, (c, a) => (c - a) * (c - a)).Sum());

    /// <summary>How many of some people it gets right, as a part of all.</summary>
    public double Accuracy(double[][] answers, int[] types) =>
        answers.Where((row, i) => Classify(row) == types[i]).Count() / (double)types.Length;
}
