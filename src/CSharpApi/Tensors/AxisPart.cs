// What a slice takes of one axis: a range, a place, or a range with a step. C# ranges and numbers convert to it.
namespace Functional.CSharp;

/// <summary>What <see cref="TensorShapes.Slice"/> takes of one axis: a range <c>1..3</c>, a place <c>^1</c> (whose axis
/// disappears) or a range with a step <c>(0.., 2)</c>. Made by conversion, not by hand.</summary>
public readonly struct AxisPart
{
    private readonly Range range;
    private readonly int step;

    private AxisPart(Range range, int step, bool isPlace)
    {
        this.range = range;
        this.step = step;
        IsPlace = isPlace;
    }

    /// <summary>Whether one place is taken, so that the axis disappears.</summary>
    public bool IsPlace { get; }

    /// <summary>A range of places.</summary>
    public static implicit operator AxisPart(Range range) => new(range, 1, false);

    /// <summary>One place.</summary>
    public static implicit operator AxisPart(Index place) => new(new Range(place, place), 1, true);

    /// <summary>One place; negative ones count from the end.</summary>
    public static implicit operator AxisPart(int place) => place < 0 ? new Index(-place, fromEnd: true) : new Index(place);

    /// <summary>Every step-th place of a range; a negative step begins at the range's last place.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The step is 0.</exception>
    public static implicit operator AxisPart((Range Range, int Step) part) =>
        part.Step != 0
            ? new(part.Range, part.Step, false)
            : throw new ArgumentOutOfRangeException(nameof(part), "Slice: a step of 0 never moves; use 1 or more, or a negative step to go backwards");

    /// <summary>The first place, in ascending order, how many, and the step, for an axis of a size.</summary>
    internal (int Start, int Length, int Step) Resolve(int axis, int size)
    {
        int start = range.Start.GetOffset(size), end = range.End.GetOffset(size);
        if (IsPlace)
            return start >= 0 && start < size
                ? (start, 1, 1)
                : throw new ArgumentOutOfRangeException(nameof(axis), $"Slice: place {range.Start} is outside axis {axis} of size {size}");
        if (start < 0 || end > size || start > end)
            throw new ArgumentOutOfRangeException(nameof(axis), $"Slice: the range {range} does not lie within axis {axis} of size {size}");
        int distance = Math.Abs(step == 0 ? 1 : step), length = (end - start + distance - 1) / distance;
        return step < 0 && length > 0 ? (end - 1 - (length - 1) * distance, length, step) : (start, length, step == 0 ? 1 : step);
    }
}
