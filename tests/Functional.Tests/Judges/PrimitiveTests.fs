/// Every primitive before the four judges.
module Functional.Tests.Judges.PrimitiveTests

open Expecto
open Functional
open Functional.Tests.Judges
open Functional.Tests.Judges.Samples
open Functional.Tests.Judges.Judges

let private count = 40

/// The linear-algebra primitives lose some digits to the matrices' condition.
let private loose (name: string) = if name.StartsWith "Linear" then 100.0 else 1.0

/// Each primitive with a few samples, which tell what a judge can say of it.
let private drawn = [
    for name, generator in Primitives.generators do
        let samples = ResizeArray()
        onSamples 10 generator (fun s _ -> samples.Add s)
        name, generator, samples
]

/// A test for each primitive that the judge says anything of.
let private forEach (applies: Sample -> bool) (check: string -> Sample -> Tensor[] -> unit) = [
    for name, generator, samples in drawn do
        if Seq.exists applies samples then
            testCase name
            <| fun () ->
                onSamples count generator (fun s xs ->
                    if applies s then
                        check name s xs)
]

let private varies (s: Sample) = Array.contains true s.Varied

/// A judge of differentiable functions, on the varied inputs.
let private judge applies check =
    forEach (fun s -> varies s && applies s) (fun name s xs ->
        let f, varied = restrict s xs
        check (loose name) s f varied (like 5 varied |> Array.map s.Direction))

let private single (t: Tensor) = if t.DType = DType.Float64 then cast DType.Float32 t else t

[<Tests>]
let tests =
    testList "judges" [
        testCase "every primitive has a generator"
        <| fun () ->
            Expect.isEmpty Primitives.missing "cases of Op or ManyOp without a generator in Primitives.fs"
            Expect.isEmpty Primitives.unknown "generators for what is no primitive"

        testList "value against its definition"
        <| forEach _.Complex (fun name s xs ->
            let level = ComplexLevel.ComplexLevel()
            let lift (x: Tensor) = if x.DType.IsFloat() then level.Wrap(x.DType, ComplexLevel.ofConcrete x) else x
            let defined = s.Run(Array.map lift xs)
            let ys = s.Run xs
            // integers and truth values have no level of their own: their definitions are asked for directly
            let value (t: Tensor) = (level.ValueOf t).Data |> Array.map (fun z -> z.Real)
            sameShapes name ys defined
            agree (1e-12 * loose name) name (numbers ys) (Array.collect value defined)

            Expect.equal (ys |> Array.map (fun y -> y.DType)) (defined |> Array.map (fun y -> y.DType)) "element types")

        testList "complex step"
        <| judge _.Complex (fun loose _ f xs vs -> complexStep (1e-12 * loose) f xs vs)

        testList "adjoint identity"
        <| judge _.Reverse (fun loose _ f xs vs -> adjoint (1e-11 * loose) f xs vs)

        testList "differences" <| judge _.Differences (fun _ _ f xs vs -> differences 1e-8 f xs vs)

        testList "order 2"
        <| judge (fun _ -> true) (fun loose s f xs vs ->
            if not (numbers (f xs) |> Array.forall System.Double.IsFinite) then
                () // log Σ over nothing
            elif s.Reverse then
                secondOrder s (1e-11 * loose) f xs vs
            else
                let forward xs = snd (jvp f xs vs)
                complexStep (1e-11 * loose) forward xs (like 23 xs))

        testList "transposed twice"
        <| forEach (fun s -> not s.LinearIn.IsEmpty) (fun _ s xs -> transposeTwice s xs)

        testList "Float32"
        <| forEach (fun _ -> true) (fun name s xs ->
            let singles = Array.map single xs

            let wide =
                s.Run(singles |> Array.map (fun t -> if t.DType = DType.Float32 then cast DType.Float64 t else t))

            let narrow = s.Run singles
            let isFloat (t: Tensor) = t.DType.IsFloat()
            // sums may cancel: a few ulp of their terms
            agree
                (1e-5 * loose name)
                "value"
                (numbers (Array.filter isFloat narrow))
                (numbers (Array.filter isFloat wide))

            if not (name.StartsWith "Random" || name = "Cast") then
                Expect.all (Array.filter isFloat narrow) (fun t -> t.DType = DType.Float32) "stays Float32"

            let f, varied = restrict s xs
            let f32, varied32 = restrict s singles

            if varied.Length > 0 && s.Reverse then
                let gradient f (xs: Tensor[]) =
                    let ys, pullback = vjp f xs
                    pullback (like 7 ys)

                agree (1e-4 * loose name) "gradient" (numbers (gradient f32 varied32)) (numbers (gradient f varied)))
    ]
