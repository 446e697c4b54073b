/// A second interpreter of graphs, the judge of the plans: instruction by instruction in the order in which they stand, every
/// value in an array of its own, loops as the host's. Nothing is fused, cut, packed, overwritten or given back.
module Functional.Tests.PlainGraphs

open Functional
open Functional.Kernels
open Functional.Operations

let private specOf (x: NDArray) : Spec = { Shape = x.Shape; DType = x.DType }

/// One place of a stacked array.
let private place (t: int) (x: NDArray) : NDArray =
    let rest = x.Shape[1..]
    let cut = NDArray.Allocate(Array.append [| 1 |] rest, x.DType)
    Layout.Slice(x, Array.init x.Shape.Length (fun i -> if i = 0 then t else 0), Array.create x.Shape.Length 1, cut)
    cut.Reshape rest

let private stack (shape: int[]) (dtype: DType) (places: NDArray[]) : NDArray =
    let whole = NDArray.Allocate(shape, dtype)

    if places.Length > 0 then
        Layout.Concat(places |> Array.map (fun y -> y.Reshape(Array.append [| 1 |] y.Shape)), 0, whole)

    whole

/// The graph's outputs.
let rec run (g: Graph) (inputs: NDArray[]) : NDArray[] =
    let values = ResizeArray inputs

    for instruction in g.Instructions do
        let at i = if i < 0 then Unchecked.defaultof<NDArray> else values[i]

        match instruction with
        | Constant c -> values.Add c
        | Apply(op, a, b, c) -> values.Add(Evaluate.evaluate op (at a) (at b) (at c))
        | ApplyMany(op, arguments, _) -> values.AddRange(many op (Array.map at arguments))

    g.Outputs |> Array.map (fun v -> values[v])

and private many (op: ManyOp) (xs: NDArray[]) : NDArray[] =
    match op with
    | Concat axis -> Evaluate.concat axis xs
    | Split(axis, sizes) -> Evaluate.split axis sizes xs[0]
    | Linear(op, onFailure) -> Evaluate.linear op onFailure xs
    | Custom e -> e.Evaluate xs
    | Call p -> run p.Graph xs
    | Cond(whenTrue, whenFalse) -> run (if xs[0].Bits <> 0L then whenTrue else whenFalse) xs[1..]
    | While w ->
        let constants, start = Array.splitAt w.Constants xs
        let goesOn carry = (run w.Condition (Array.append constants carry) |> Array.head).Bits <> 0L
        let mutable carry = start

        while goesOn carry do
            carry <- run w.Body (Array.append constants carry)

        carry
    | Scan s ->
        let constants, rest = Array.splitAt s.Constants xs
        let start, moving = Array.splitAt s.Carry rest
        let specs = Shapes.inferMany op (Array.map specOf xs)
        let mutable carry = start
        let ys = Array.init s.Length (fun _ -> [||])

        for step in 0 .. s.Length - 1 do
            let t = if s.FromEnd then s.Length - 1 - step else step

            let next, y =
                run s.Body (Array.concat [ constants; carry; Array.map (place t) moving ]) |> Array.splitAt s.Carry

            carry <- next
            ys[t] <- y

        Array.append
            carry
            (Array.init (specs.Length - s.Carry) (fun j ->
                let spec = specs[s.Carry + j]
                stack spec.Shape spec.DType (ys |> Array.map (fun y -> y[j]))))
