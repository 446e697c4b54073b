namespace Functional

// How far to go along a direction: searches as single loops, which compile.

/// Where a search along a line ended.
type LineSearchResult<'T> = {
    /// How far it went.
    Step: Tensor
    Value: Tensor
    /// What the function returned there beside its value.
    Kept: 'T
    /// Whether a step was found, Bool; if not, `Step` is 0.
    Found: Tensor
    /// How often the function was called, Int64.
    Evaluations: Tensor
}

/// A point on the line: the step to it, the value and the slope there.
type private LinePoint = { At: Tensor; Height: Tensor; Slope: Tensor }

type private Wolfe<'T> = {
    /// The best point so far, with what is kept of it.
    Low: LinePoint
    Kept: 'T
    /// The other end of the interval, once there is one.
    High: LinePoint
    IsClosed: Tensor
    Next: Tensor
    Done: Tensor
    Calls: Tensor
}

type private Backtracking<'T> = {
    Best: Tensor
    BestValue: Tensor
    BestKept: 'T
    Trying: Tensor
    Going: Tensor
    Count: Tensor
}

/// Searches along a line. The function takes a step, a single number, and is minimised from step 0 on; its values there are
/// given. NaN and ∞ count as too high. Steps, values and slopes are single numbers of one float type.
[<RequireQualifiedAccess>]
module LineSearch =

    let private integer (n: int) = MinimizerState.count n
    let private no = Tensor.scalarOf DType.Bool 0.0
    let private yes = Tensor.scalarOf DType.Bool 1.0
    let private highIfNot (x: Tensor) = where (isFinite x) x (host x infinity)
    let private choose mask (a: 'T) (b: 'T) : 'T = Tree.map2 (where mask) a b

    /// Rounding hides differences of values below this.
    let internal noise (value: Tensor) = 16.0 * ParameterVector.epsilon value.DType * abs value

    /// The least of the cubic through two points with their slopes, kept off the ends of their interval; their middle where
    /// there is none.
    let private between (a: LinePoint) (b: LinePoint) : Tensor =
        let width = b.At - a.At
        let middle = a.At + 0.5 * width
        let d1 = a.Slope + b.Slope - 3.0 * safeDivide (b.Height - a.Height) width
        let root = safeSqrt (maximum (d1 * d1 - a.Slope * b.Slope) (host d1 0.0))
        let d2 = where (less width (host width 0.0)) -root root
        let cubic = b.At - width * safeDivide (b.Slope + d2 - d1) (b.Slope - a.Slope + 2.0 * d2)
        let margin = 0.1 * abs width
        let low, high = minimum a.At b.At + margin, maximum a.At b.At - margin
        let isInside = logicalAnd (isFinite cubic) (isFinite b.Height)
        where isInside (minimum (maximum cubic low) high) middle

    let private afterWolfe
        c1
        c2
        (hidden: Tensor)
        (start: LinePoint)
        (along: Tensor -> Tensor * Tensor * 'T)
        (s: Wolfe<'T>)
        : Wolfe<'T> =
        let value, slope, kept = along s.Next
        let here = { At = s.Next; Height = highIfNot value; Slope = slope }
        let noise = noise start.Height
        // where rounding hides how the value falls its slope tells of it: Hager and Zhang's approximate condition (2005)
        let low =
            logicalAnd
                (less here.Height start.Height)
                (lessEqual here.Height (start.Height + c1 * here.At * start.Slope))

        let lowBySlope =
            [
                hidden
                lessEqual here.Height (start.Height + noise)
                lessEqual here.Slope ((2.0 * c1 - 1.0) * start.Slope)
            ]
            |> List.reduce logicalAnd

        let isHigh =
            logicalOr
                (logicalNot (logicalOr low lowBySlope))
                (greater
                    here.Height
                    (s.Low.Height + where (greater s.Low.At (host noise 0.0)) noise (host noise infinity)))

        let isDone = logicalAnd (logicalNot isHigh) (lessEqual (abs slope) (-c2 * start.Slope))
        // the minimum lies between this point and the best so far if the slope leads back to that one
        let back = where s.IsClosed (slope * (s.High.At - s.Low.At)) slope
        let turns = logicalAnd (logicalNot isHigh) (greaterEqual back (host back 0.0))
        let high = choose isHigh here (choose turns s.Low s.High)
        let best = choose isHigh s.Low here
        let isClosed = logicalOr s.IsClosed (logicalOr isHigh turns)

        {
            Low = best
            Kept = choose isHigh s.Kept kept
            High = high
            IsClosed = isClosed
            Next = where isClosed (between best high) (2.5 * s.Next)
            Done = isDone
            Calls = s.Calls + 1.0
        }

    /// A step where Wolfe's strong conditions hold: the value has fallen by at least c1 of what the slope at the start
    /// promised, and the slope is at most c2 of that one in size; or the lowest step found in 25 calls. `along` returns
    /// value, slope and what is to be kept; `value`, `slope` and `kept` are those at 0, `first` is the step tried first.
    /// J. Nocedal and S. J. Wright, "Numerical Optimization" (2006), algorithms 3.5 and 3.6.
    let strongWolfe
        (c1: float)
        (c2: float)
        (along: Tensor -> Tensor * Tensor * 'T)
        (value: Tensor, slope: Tensor, kept: 'T)
        (first: Tensor)
        : LineSearchResult<'T> =
        if not (0.0 < c1 && c1 < c2 && c2 < 1.0) then
            invalidArg
                "c1"
                $"LineSearch.strongWolfe: c1 is {c1} and c2 {c2}; they must be 0 < c1 < c2 < 1, such as 1e-4 and 0.9"

        let start = { At = Tensor.zerosLike value; Height = value; Slope = slope }
        let hidden = lessEqual (abs (first * slope)) (1e3 * noise value)

        let found =
            whileLoop
                (fun s -> logicalAnd (logicalNot s.Done) (less s.Calls (integer 25)))
                (afterWolfe c1 c2 hidden start along)
                {
                    Low = start
                    Kept = kept
                    High = start
                    IsClosed = no
                    Next = first
                    Done = no
                    Calls = integer 0
                }

        {
            Step = found.Low.At
            Value = found.Low.Height
            Kept = found.Kept
            Found = greater found.Low.At (host value 0.0)
            Evaluations = found.Calls
        }

    let private backtrack most (next: Backtracking<'T> -> Backtracking<'T>) (value: Tensor) (kept: 'T) (first: Tensor) =
        let found =
            whileLoop (fun s -> logicalAnd s.Going (less s.Count (integer most))) next {
                Best = Tensor.zerosLike value
                BestValue = value
                BestKept = kept
                Trying = first
                Going = yes
                Count = integer 0
            }

        {
            Step = found.Best
            Value = found.BestValue
            Kept = found.BestKept
            Found = greater found.Best (host value 0.0)
            Evaluations = found.Count
        }

    /// The first of the steps `first`, a half of it, a quarter … 2⁻⁴⁰ that lowers the value by at least c1 of what the slope at
    /// the start promises (Armijo's condition). `along` returns the value and what is to be kept.
    let armijo
        (c1: float)
        (along: Tensor -> Tensor * 'T)
        (value: Tensor, slope: Tensor, kept: 'T)
        (first: Tensor)
        : LineSearchResult<'T> =
        let noise = noise value
        // where all that is promised is hidden by rounding, a value is low that has not risen
        let hidden = lessEqual (abs (first * slope)) noise

        let next s =
            let there, kept = along s.Trying

            let isLower = logicalAnd (less there value) (lessEqual there (value + c1 * s.Trying * slope))
            let isLow = logicalOr isLower (logicalAnd hidden (lessEqual there (value + noise)))

            {
                Best = where isLow s.Trying s.Best
                BestValue = where isLow there s.BestValue
                BestKept = choose isLow kept s.BestKept
                Trying = 0.5 * s.Trying
                Going = logicalNot isLow
                Count = s.Count + 1.0
            }

        backtrack 40 next value kept first

    /// The best of the steps `first`, a half of it, a quarter … 2⁻³⁰: it is halved until the value is lower than at the start,
    /// and then as long as that lowers it further. `along` returns the value and what is to be kept.
    let halving (along: Tensor -> Tensor * 'T) (value: Tensor, kept: 'T) (first: Tensor) : LineSearchResult<'T> =
        let next s =
            let there, kept = along s.Trying
            let isBetter = less there s.BestValue

            {
                Best = where isBetter s.Trying s.Best
                BestValue = where isBetter there s.BestValue
                BestKept = choose isBetter kept s.BestKept
                Trying = 0.5 * s.Trying
                Going = logicalOr isBetter (equal s.Best (host there 0.0))
                Count = s.Count + 1.0
            }

        backtrack 31 next value kept first
