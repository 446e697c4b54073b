// A visitor's own table: two columns of numbers are points of a function, three are points of the plane in two classes.
using Playground.Server;

namespace Playground.Functions;

internal static class Table
{
    public static Lesson Read(string text, int mostPoints)
    {
        double[][] rows;
        try
        {
            var isHeaderless = text.AsSpan().TrimStart() is [>= '0' and <= '9' or '-' or '+' or '.', ..];
            var options = new Csv.Options(Csv.defaults.Separator, Csv.defaults.Encoding, !isHeaderless, Csv.defaults.MissingTexts, Csv.defaults.Missing);
            var table = Csv.parse(options, "CSV", text);
            if (table.Columns.Length is not (2 or 3)) throw new Refusal("table-columns", new { given = table.Columns.Length });
            if (table.Rows.Length > mostPoints) throw new Refusal("too-many", new { name = "rows", most = mostPoints });
            if (table.Rows.Length < 3) throw new Refusal("too-few", new { name = "rows", least = 3 });
            rows = Csv.numbers(table.Columns, table).ToRows();
        }
        catch (InvalidDataException e)
        {
            throw new Refusal("table", new { e.Message });
        }
        return rows[0].Length == 2 ? LineLesson.Of([.. rows.Select(row => (row[0], row[1]))]) : Plane(rows);
    }

    private static PlaneLesson Plane(double[][] rows)
    {
        double[] classes = [.. rows.Select(row => row[2]).Distinct().Order()];
        if (classes.Length != 2) throw new Refusal("table-classes", new { given = classes.Length });
        var points = rows.Select(row => (row[0], row[1], row[2] == classes[1] ? 1.0 : -1.0)).ToArray();
        new System.Random(1).Shuffle(points);
        var known = points.Length * 3 / 4;
        return PlaneLesson.Of(points[..known], points[known..]);
    }
}
