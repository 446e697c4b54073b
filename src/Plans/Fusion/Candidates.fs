/// Which instructions can be a part of an elementwise kernel, and how such a kernel sees their operands.
[<RequireQualifiedAccess>]
module internal Functional.Plans.Candidates

open Functional
open Functional.Operations

/// Whether an operation works element by element.
let isElementwise instruction =
    match instruction with
    | Apply(op, _, _, _) -> (Facts.ofOp op).Fusion.IsElementwise
    | ApplyMany _
    | Constant _ -> false

/// A product of sums of one term: a column by a row, of floats, perhaps with another row added.
let private isOuter (g: Graph) (firsts: int[]) k =
    match g.Instructions[k] with
    | Apply((MatMul(false, false) | Dense), a, b, _) when
        g.Specs[b].Shape.Length = 2 && g.Specs[b].Shape[0] = 1 && g.Specs[a].DType.IsFloat()
        ->
        let result = g.Specs[firsts[k]].Shape
        let columns = Array.last result

        columns > 1
        && Alignment.between g.Specs[a].Shape result = Alignment.Column columns
        && Alignment.between g.Specs[b].Shape result = Alignment.Row columns
    | Apply _
    | ApplyMany _
    | Constant _ -> false

/// Whether an instruction can be a part of an elementwise kernel: its operands are laid out as such a kernel reads them.
let elementwise (g: Graph) firsts k =
    let result = g.Specs[(firsts: int[])[k]].Shape

    isOuter g firsts k
    || (isElementwise g.Instructions[k]
        && Graphs.arguments g.Instructions[k]
           |> Array.forall (fun v -> Alignment.between g.Specs[v].Shape result <> Alignment.Other))

/// More operations than this in one kernel and its registers leave the cache; code on single numbers has no such limit.
let largest = 24

/// Whether a kernel of operations like this one is straight-line code on single floats.
let isScalar (g: Graph) (firsts: int[]) k =
    let single v = g.Specs[v].Shape.Length = 0 && g.Specs[v].DType <> DType.Int32 && g.Specs[v].DType <> DType.Int64

    single firsts[k]
    && g.Specs[(Graphs.arguments g.Instructions[k])[0]].DType <> DType.Int32
    && Graphs.arguments g.Instructions[k] |> Array.forall single
    && (match g.Instructions[k] with
        | Apply((Unary _ | Binary _ | Select | AddScaled _), _, _, _) -> g.Specs[firsts[k]].DType.IsFloat()
        | Apply(Compare _, a, _, _) -> g.Specs[a].DType.IsFloat()
        | Apply(Cast _, a, _, _) -> g.Specs[a].DType.IsFloat() && g.Specs[firsts[k]].DType.IsFloat()
        | Apply _
        | ApplyMany _
        | Constant _ -> false)

/// The columns that the result and all operands of an operation agree on; None if they do not.
let columns (g: Graph) firsts (windows: ColumnWindow voption[]) k (sofar: int option) : int option voption =
    let y = (firsts: int[])[k]
    let result = g.Specs[y].Shape
    let mutable agreed = ValueSome sofar

    let want n =
        match agreed with
        | ValueSome None -> agreed <- ValueSome(Some n)
        | ValueSome(Some m) when n <> m -> agreed <- ValueNone
        | _ -> ()

    if windows[y].IsSome then
        want (Array.last result)

    for v in Graphs.arguments g.Instructions[k] do
        match Alignment.between g.Specs[v].Shape result with
        | Alignment.Row n
        | Alignment.Column n -> want n
        | Alignment.Full when windows[v].IsSome -> want (Array.last result)
        | _ -> ()

    agreed
