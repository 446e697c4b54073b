// The slide as a picture: image, filter, map and pooling in a row, and the map with padding below.
using Functional.Plots;
using SkiaSharp;
using static SkiaSharp.SKTextAlign;

internal static class Drawing
{
    private const double Cell = 44;
    private const double Gap = 76;
    private const double Margin = 44;
    private const double FirstRow = 132;
    private const double SecondRow = FirstRow + 8 * Cell + 138;

    public static void Save(string path, double[,] image, double[,] filter, double[,] map, double[,] pooled, double[,] same, string sum)
    {
        using var sheet = new Sheet((int)(2 * Margin + 20 * Cell + 3 * Gap), (int)(SecondRow + 10 * Cell + Margin));
        sheet.Bold("The talk's slide: convolution and pooling", Margin, 52, 26, Shade.Ink, Left);

        var imageLeft = Margin;
        var filterLeft = imageLeft + 8 * Cell + Gap;
        var mapLeft = filterLeft + 3 * Cell + Gap;
        var pooledLeft = mapLeft + 6 * Cell + Gap;
        double Middle(int rows) => FirstRow + 0.5 * (8 - rows) * Cell;

        Grid(sheet, "image, 8×8", image, imageLeft, FirstRow);
        sheet.Frame(imageLeft, FirstRow, 3 * Cell, 3 * Cell, Shade.Orange, 4);
        sheet.Bold("∗", filterLeft - 0.5 * Gap, FirstRow + 4 * Cell + 10, 30, Shade.Quiet, Center);
        Grid(sheet, "filter, 3×3", filter, filterLeft, Middle(3));
        sheet.Frame(filterLeft, Middle(3), 3 * Cell, 3 * Cell, Shade.Orange, 4);
        sheet.Arrow(mapLeft - Gap + 14, FirstRow + 4 * Cell, Gap - 28, Shade.Quiet);
        Grid(sheet, "map, 6×6", map, mapLeft, Middle(6));
        for (var block = 0; block < 9; block++)
            sheet.Frame(mapLeft + block % 3 * 2 * Cell, Middle(6) + block / 3 * 2 * Cell, 2 * Cell, 2 * Cell, Shade.Green, 2.5);
        sheet.Frame(mapLeft, Middle(6), Cell, Cell, Shade.Orange, 4);
        sheet.Arrow(pooledLeft - Gap + 14, FirstRow + 4 * Cell, Gap - 28, Shade.Quiet);
        Grid(sheet, "largest of 2×2", pooled, pooledLeft, Middle(3));
        for (var block = 0; block < 9; block++)
            sheet.Frame(pooledLeft + block % 3 * Cell, Middle(3) + block / 3 * Cell, Cell, Cell, Shade.Green, 2.5);
        sheet.Words(sum, imageLeft, FirstRow + 8 * Cell + 34, 17, Shade.Orange, Left);

        var padded = new double[10, 10];
        for (var row = 0; row < 8; row++)
            for (var column = 0; column < 8; column++) padded[row + 1, column + 1] = image[row, column];
        var sameLeft = Margin + 10 * Cell + Gap;
        Grid(sheet, "padding \"same\": zeros around the image", padded, Margin, SecondRow);
        sheet.Frame(Margin + Cell, SecondRow + Cell, 8 * Cell, 8 * Cell, Shade.Ink, 2);
        sheet.Frame(Margin, SecondRow, 3 * Cell, 3 * Cell, Shade.Orange, 4);
        sheet.Arrow(sameLeft - Gap + 14, SecondRow + 5 * Cell, Gap - 28, Shade.Quiet);
        Grid(sheet, "map, 8×8", same, sameLeft, SecondRow + Cell);
        sheet.Frame(sameLeft + Cell, SecondRow + 2 * Cell, 6 * Cell, 6 * Cell, Shade.Ink, 3);
        sheet.Frame(sameLeft, SecondRow + Cell, Cell, Cell, Shade.Orange, 4);
        sheet.Words("the map above", sameLeft + 8 * Cell + 20, SecondRow + 5 * Cell, 17, Shade.Ink, Left);
        sheet.Words("lies inside the frame", sameLeft + 8 * Cell + 20, SecondRow + 5 * Cell + 24, 17, Shade.Ink, Left);
        sheet.Save(path);
    }

    private static void Grid(Sheet sheet, string title, double[,] numbers, double left, double top)
    {
        sheet.Bold(title, left, top - 14, 17, Shade.Quiet, Left);
        sheet.Numbers(numbers, left, top, Cell);
    }
}
