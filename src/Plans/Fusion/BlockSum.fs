namespace Functional.Plans

open Functional
open Functional.Kernels
open Functional.Operations

/// A sum of terms, each times its factor if there is one (−1: there is none), made by an instruction.
type internal BlockSum = {
    Over: FusedSumKind
    Terms: int
    Factor: int
    /// The columns as which the terms are seen; None where everything is summed.
    Columns: int option
    /// What a finished sum is added to, times the scale; of dot products, what every one starts from. −1: nothing.
    Onto: int
    Scale: float
    /// The instruction that sums, and the one that adds the result to something.
    Makes: int
    Adds: int voption
}

/// What an elementwise kernel sums up on its way, block by block, while its elements are in the first-level cache: sums over
/// everything (a loss), over rows (the gradient of a bias), and products with a vector, which are sums over rows or columns.
/// A sum takes along what it is added to, with a factor, as products do: the update of a bias is not a kernel of its own.
[<RequireQualifiedAccess>]
module internal BlockSum =

    let private create over terms factor columns makes = {
        Over = over
        Terms = terms
        Factor = factor
        Columns = columns
        Onto = -1
        Scale = 1.0
        Makes = makes
        Adds = ValueNone
    }

    /// A sum over axes: all, or the leading ones, those of one element aside.
    let private overAxes (g: Graph) (terms: int) (factor: int) (axes: int[]) k =
        let shape = g.Specs[terms].Shape
        let long = [| 0 .. shape.Length - 1 |] |> Array.filter (fun axis -> shape[axis] > 1)
        let kept = long |> Array.filter (fun axis -> not (Array.contains axis axes))

        if kept.Length = 0 then
            ValueSome(create FusedSumKind.All terms factor None k)
        elif kept.Length < long.Length && kept = long[long.Length - kept.Length ..] then
            let columns = kept |> Array.fold (fun n axis -> n * shape[axis]) 1
            ValueSome(create FusedSumKind.Rows terms factor (Some columns) k)
        else
            ValueNone

    let private isMatrix (g: Graph) v = g.Specs[v].Shape.Length = 2

    /// Instruction `k` as a sum of the elements of an array.
    let find (g: Graph) (firsts: int[]) (k: int) : BlockSum voption =
        let shape v = g.Specs[v].Shape
        let isLong v = Shape.size (shape v) > 1 && g.Specs[v].DType.IsFloat()

        match g.Instructions[k] with
        | Apply(Reduce(Reduction.Sum, axes, _), x, _, _) when isLong x -> overAxes g x -1 axes k
        | Apply(SumProduct(axes, _), a, b, _) when isLong a && Shape.same (shape a) (shape b) -> overAxes g a b axes k
        | Apply(MatMul(ta, tb), a, b, _) when isLong a && isLong b && isMatrix g a && isMatrix g b ->
            let rows, columns = (shape firsts[k])[0], (shape firsts[k])[1]
            let terms = (shape a)[if ta then 0 else 1]

            // a vector lies the same way round or the other; of the matrix it matters
            match rows, columns with
            | _ when terms = 1 || (rows = 1) = (columns = 1) -> ValueNone
            | _, 1 when ta -> ValueSome(create FusedSumKind.Weighted a b (Some rows) k)
            | _, 1 -> ValueSome(create FusedSumKind.Dots a b (Some terms) k)
            | _ when tb -> ValueSome(create FusedSumKind.Dots b a (Some terms) k)
            | _ -> ValueSome(create FusedSumKind.Weighted b a (Some columns) k)
        | Apply(Dense, x, w, bias) when
            isLong x && isLong w && Array.last (shape w) = 1 && Shape.size (shape firsts[k]) > 1
            ->
            let dots = create FusedSumKind.Dots x w (Some(Array.head (shape w))) k
            ValueSome { dots with Onto = bias }
        | Apply _
        | ApplyMany _
        | Constant _ -> ValueNone

    /// A sum over rows, or everything, that instruction `k` adds to something: `onto + scale·sum`.
    let addedBy (g: Graph) (firsts: int[]) (k: int) (sum: BlockSum) : BlockSum voption =
        match g.Instructions[k] with
        | Apply(AddScaled scale, onto, s, _) when s = firsts[sum.Makes] && sum.Over <> FusedSumKind.Dots ->
            ValueSome { sum with Onto = onto; Scale = scale; Adds = ValueSome k }
        | Apply _
        | ApplyMany _
        | Constant _ -> ValueNone

    /// The value that a sum ends in.
    let result (firsts: int[]) (sum: BlockSum) = firsts[ValueOption.defaultValue sum.Makes sum.Adds]

    /// Its instructions.
    let instructions (sum: BlockSum) = [|
        sum.Makes

        match sum.Adds with
        | ValueSome k -> k
        | ValueNone -> ()
    |]

    /// Whether a run over so many columns (None: any) can make the sum.
    let fits (columns: int option) (sum: BlockSum) =
        match sum.Over, sum.Columns with
        | FusedSumKind.All, _ -> columns.IsNone
        | FusedSumKind.Dots, Some n -> n <= FusedLoop.MostColumnsOfDots && (columns.IsNone || columns = sum.Columns)
        | _, Some n -> n <= FusedLoop.MostColumns && (columns.IsNone || columns = sum.Columns)
        | _, None -> false
