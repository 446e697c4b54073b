// The talk's worked slide: a filter of 3×3 moves over an image of 8×8. Where it lies, the nine numbers under it are multiplied
// by its own and summed: that makes a map of 6×6. Of every 2×2 numbers of the map the largest is kept. With padding "same",
// zeros around the image let the filter reach its edge, and the map is as large as the image.
using Examples;

var command = new Command("Slide", [], args);

// the image is worked out backwards from the talk's map
var image = Tensor.Of(new float[,]
{
    { 3, 5, 6, 0, 5, 4, 5, 4 },
    { 1, 0, 5, 1, 2, 2, 3, 2 },
    { 4, 3, 1, 5, 5, 4, 1, 6 },
    { 3, 3, 4, 3, 2, 1, 3, 4 },
    { 6, 2, 1, 0, 1, 1, 1, 3 },
    { 6, 5, 1, 1, 2, 6, 3, 1 },
    { 2, 5, 0, 3, 0, 1, 1, 4 },
    { 2, 4, 5, 2, 6, 5, 1, 6 },
});
var filter = Tensor.Of(new float[,] { { 1, 0, 1 }, { 2, 1, 3 }, { 1, 1, 2 } });

var map = Through(Filtered("valid"));
var pooled = Through(Filtered("valid"), new MaxPooling2D(2));
var same = Through(Filtered("same"));

var sum = string.Join(" + ", Enumerable.Range(0, 9).Select(i => $"{filter.ToArray2D()[i / 3, i % 3]}·{image.ToArray2D()[i / 3, i % 3]}"));
Print("The image", image.ToArray2D());
Print("The filter", filter.ToArray2D());
Print($"The map; its first number is {sum} = {map[0, 0]}", map);
Print("The largest of every 2×2", pooled);
Print("The map with padding \"same\"; inside it is the map above", same);

var path = command.File("slide.png");
Drawing.Save(path, image.ToArray2D(), filter.ToArray2D(), map, pooled, same, $"{sum} = {map[0, 0]}");
command.Announce(path);

// what the slide shows of the map, and all that is left after pooling
double[] shown = [35, 27, 44, 32, 36, 38, 37, 40, 36, 44, 43, 37, 26, 35, 38, 34, 40];
double[] found = [.. Enumerable.Range(0, 6).Select(column => map[0, column]), map[1, 3], map[5, 5], .. pooled.Cast<double>()];
var differences = shown.Zip(found).Count(pair => pair.First != pair.Second);
Console.WriteLine(differences == 0
    ? $"All {shown.Length} numbers that the slide shows have come out: a convolution is nothing but these sums, and a network learns the filter's nine numbers."
    : $"{differences} of the {shown.Length} numbers that the slide shows have come out differently.");
Command.Result("differences", differences);
return differences == 0 ? 0 : 1;

// A layer of the one filter, which is given instead of learnt.
Conv2D Filtered(string padding) =>
    new(filters: 1, kernelSize: 3, padding: padding, useBias: false, kernelInitializer: new Initializer((_, shape, _) => filter.Reshape(shape)));

// What layers make of the image.
double[,] Through(params Layer[] layers)
{
    var result = new Sequential(layers).Predict(image.Reshape(1, 8, 8, 1));
    return result.Reshape(result.Shape[1], result.Shape[2]).ToArray2D();
}

void Print(string title, double[,] numbers)
{
    Console.WriteLine(title);
    for (var row = 0; row < numbers.GetLength(0); row++)
        Console.WriteLine(string.Concat(Enumerable.Range(0, numbers.GetLength(1)).Select(column => $"{numbers[row, column],4}")));
    Console.WriteLine();
}
