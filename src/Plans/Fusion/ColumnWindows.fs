/// Columns of wider values that need no memory of their own.
[<RequireQualifiedAccess>]
module internal Functional.Plans.ColumnWindows

open System.Collections.Generic
open Functional
open Functional.Operations

/// Values that need no memory of their own: columns cut from a wider value, and columns of which a wider one is put
/// together, where only elementwise kernels read and make them. Fills in `root`, too.
let find (g: Graph) (firsts: int[]) (root: int[]) : ColumnWindow voption[] =
    let found = Array.create g.Specs.Length ValueNone
    let readers = Array.init g.Specs.Length (fun _ -> List<int>())
    let maker = Array.create g.Specs.Length -1
    let kept = HashSet<int> g.Outputs

    g.Instructions
    |> Array.iteri (fun k instruction ->
        for v in Graphs.arguments instruction do
            readers[v].Add k

        if Candidates.elementwise g firsts k then
            maker[firsts[k]] <- k)

    let joinsColumns k =
        match g.Instructions[k] with
        | ApplyMany(Concat axis, _, _) -> axis = g.Specs[firsts[k]].Shape.Length - 1
        | Constant _
        | Apply _
        | ApplyMany _ -> false

    /// Whether all readers, and the maker, can work with `v` as such a window.
    let fits v (window: ColumnWindow) =
        found[v] <- ValueSome window
        let shape = g.Specs[v].Shape

        let works k =
            joinsColumns k
            || (Candidates.elementwise g firsts k
                && Shape.same g.Specs[firsts[k]].Shape shape
                && (Candidates.columns g firsts found k None).IsSome)

        let all = not (kept.Contains v) && Seq.forall works readers[v] && (maker[v] < 0 || works maker[v])

        if not all then
            found[v] <- ValueNone

        all

    g.Instructions
    |> Array.iteri (fun k instruction ->
        match instruction with
        | Apply(Slice(starts, lengths, steps), x, _, _) ->
            let whole = g.Specs[x].Shape
            let last = whole.Length - 1

            if
                last >= 0
                && steps[last] = 1
                && Seq.forall (fun i -> lengths[i] = whole[i]) (seq { 0 .. last - 1 })
                && Shape.size whole > 0
            then
                fits firsts[k] { Offset = starts[last]; Width = whole[last] } |> ignore
        | ApplyMany(Concat axis, parts, _) when joinsColumns k ->
            let y = firsts[k]
            let mutable offset = 0

            for v in parts do
                if
                    maker[v] >= 0
                    && found[v].IsNone
                    && (parts |> Array.filter ((=) v)).Length = 1
                    && fits v { Offset = offset; Width = g.Specs[y].Shape[axis] }
                then
                    root[v] <- y

                offset <- offset + g.Specs[v].Shape[axis]
        | Apply _
        | ApplyMany _
        | Constant _ -> ())

    found
