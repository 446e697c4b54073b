namespace Functional.Plans

open Functional
open Functional.Operations

/// How an operand of a fused run is laid out beside the result, which the run sees as rows and columns.
[<RequireQualifiedAccess>]
type internal Alignment =
    | Full
    | Scalar
    /// A trailing part: the same for all rows of so many columns.
    | Row of columns: int
    /// A leading part: the same for all columns, so many of them.
    | Column of columns: int
    /// None of these: the operand has to be spread out first.
    | Other

[<RequireQualifiedAccess>]
module internal Alignment =

    /// How an operand of one shape is laid out beside a result of another.
    let between (operand: int[]) (result: int[]) : Alignment =
        if Shape.same operand result then
            Alignment.Full
        elif Shape.size operand = 1 then
            Alignment.Scalar
        else
            let rank = result.Length
            let at i = if i < rank - operand.Length then 1 else operand[i - (rank - operand.Length)]
            // leading ones, and trailing ones, where the result has more
            let mutable lead = 0

            while lead < rank && at lead = 1 do
                lead <- lead + 1

            let mutable trail = rank

            while trail > 0 && at (trail - 1) = 1 do
                trail <- trail - 1

            let whole lo hi = Seq.forall (fun i -> at i = result[i]) (seq { lo .. hi - 1 })
            let size lo hi = Seq.fold (fun n i -> n * result[i]) 1 (seq { lo .. hi - 1 })

            if lead > 0 && whole lead rank then Alignment.Row(size lead rank)
            elif trail < rank && whole 0 trail then Alignment.Column(size trail rank)
            else Alignment.Other
