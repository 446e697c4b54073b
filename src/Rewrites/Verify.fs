/// What every graph must keep true, of which each pass takes care by hand: asked between the passes of every program that
/// the tests make.
[<RequireQualifiedAccess>]
module internal Functional.Rewrites.Verify

open Functional
open Functional.Operations

let private wrong (after: string) (message: string) = invalidOp $"internal: after {after}, {message}"

let private show (s: Spec) = $"{s.DType} {Shape.show s.Shape}"

/// Whether what a graph says of its values is what its instructions make: their number, shapes and types; nothing reads
/// what is not there yet; the graphs of loops and branches, too.
let rec graph (after: string) (g: Graph) : unit =
    let mutable next = g.Inputs

    let expect k (found: Spec[]) =
        for s in found do
            if next >= g.Specs.Length then
                wrong after $"instruction {k} makes a value that the graph does not know"

            let said = g.Specs[next]

            if said.DType <> s.DType || not (Shape.same said.Shape s.Shape) then
                wrong after $"%%{next} is said to be {show said}, and instruction {k} makes {show s}"

            next <- next + 1

    g.Instructions
    |> Array.iteri (fun k instruction ->
        for v in Graphs.arguments instruction do
            if v < 0 || v >= next then
                wrong after $"instruction {k} reads %%{v}, which is not there yet"

        let spec v = if v < 0 then Unchecked.defaultof<Spec> else g.Specs[v]

        match instruction with
        | Constant c -> expect k [| { Shape = c.Shape; DType = c.DType } |]
        | Apply(op, a, b, c) -> expect k [| Shapes.infer op (spec a) (spec b) (spec c) |]
        | ApplyMany(op, arguments, count) ->
            let found = Shapes.inferMany op (Array.map spec arguments)

            if found.Length <> count then
                wrong after $"instruction {k} has {count} results, and makes {found.Length}"

            expect k found

            for inner in Graphs.inside op do
                graph $"{after}, in instruction {k}" inner)

    if next <> g.Specs.Length then
        wrong after $"the graph knows {g.Specs.Length} values, and {next} are made"

    for v in g.Outputs do
        if v < 0 || v >= next then
            wrong after $"the output %%{v} is not there"
