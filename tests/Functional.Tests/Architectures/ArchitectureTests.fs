/// Architectures against what defines them: splines against their values and partition of unity, extension against the function
/// before, constructions against the theorem; all compile and learn.
module Functional.Tests.Architectures.ArchitectureTests

open System
open Expecto
open Functional

let private key = Key.create 1L

let private near tolerance what (found: Tensor) (wanted: Tensor) =
    Expect.sequenceEqual found.Shape wanted.Shape $"{what}: shapes"
    let off = Tensor.toFloat (amax (abs (found - wanted)))

    if not (off <= tolerance) then
        failtest $"{what}: off by {off:G3}"

let private line = Tensor.linspace -1.0 1.0 201

/// A layer initialised, and its gradient compiled and eager.
let private learns (layer: Layer<'P>) =
    let x = Random.uniform DType.Float64 [ 6; 2 ] key
    let p = layer.Initialize key [| 2 |]
    Expect.sequenceEqual (Layer.predict layer p x).Shape (Array.append [| 6 |] (layer.OutputShape [| 2 |])) layer.Name
    let loss p = let y = Layer.predict layer p x in sum (y * y * y)
    let eager = grad loss p |> Tree.leaves

    for a, b in Array.zip eager (compile (grad loss) p |> Tree.leaves) do
        near 1e-12 layer.Name a b
        Expect.isTrue (Tensor.toFloats a |> Array.exists ((<>) 0.0)) $"{layer.Name}: some derivative"

[<Tests>]
let tests =
    testList "architectures" [
        testCase "every one has shapes and gradients, eager and compiled"
        <| fun () ->
            learns (FourierFeatures.layer DType.Float64 2.0 5)
            learns (RadialBasis.layer DType.Float64 0.0 1.0 0.5 7)
            learns (Rational.layer DType.Float64)
            learns (Siren.layer DType.Float64 30.0 [ 8; 8; 1 ])
            learns (Kan.layer DType.Float64 3 -1.0 1.0 5 4)
            learns (ChebyshevKan.layer DType.Float64 4 3)

        testCase "B-splines of any degree are positive, add up to 1, and have the known values"
        <| fun () ->
            for degree in 0..5 do
                let b = BSpline.basis degree -1.0 1.0 7 line
                Expect.sequenceEqual b.Shape [| 201; 7 + degree |] $"{degree}"
                near 1e-13 $"{degree}: the sum" (sumOver [ -1 ] b) (Tensor.onesLike line)
                Expect.all (Tensor.toFloats b) (fun x -> x >= 0.0) $"{degree}: positive"

            // at a knot the cubic ones are 1/6, 4/6, 1/6; halfway 1/48, 23/48, 23/48, 1/48
            let at x = BSpline.basis 3 0.0 4.0 4 (Tensor.ofSeq [ x ]) |> squeeze [ 0 ]
            near 1e-15 "at a knot" (at 2.0) (Tensor.ofSeq [ 0.0; 0.0; 1.0; 4.0; 1.0; 0.0; 0.0 ] / 6.0)
            near 1e-15 "halfway" (at 1.5) (Tensor.ofSeq [ 0.0; 1.0; 23.0; 23.0; 1.0; 0.0; 0.0 ] / 48.0)

        testCase "a cubic spline's derivative is its difference quotient"
        <| fun () ->
            let c = Random.normal DType.Float64 [ 8 ] key
            let f x = LinearAlgebra.matvec (BSpline.basis 3 -1.0 1.0 5 x) c
            let x = Tensor.linspace -0.93 0.91 50
            let slope = snd (jvp f x (Tensor.onesLike x))
            near 1e-7 "slope" slope ((f (x + 1e-5) - f (x - 1e-5)) / 2e-5)

        testCase "a Kolmogorov–Arnold layer is the sum of its functions, and the same on a finer grid"
        <| fun () ->
            let p = Kan.init DType.Float64 3 -1.0 1.0 5 key 2 3
            let x = Random.uniform DType.Float64 [ 40; 2 ] key * 2.0 - 1.0
            let column i = index 1 i x

            let one i =
                BSpline.basis 3 -1.0 1.0 5 (column i) *@ index 0 i p.Coefficients
                + expandDims -1 (column i * sigmoid (column i)) * index 0 i p.Base

            near 1e-13 "the sum" (Kan.apply p x) (one 0 + one 1)
            let finer = Kan.extend 15 p
            Expect.sequenceEqual finer.Coefficients.Shape [| 2; 18; 3 |] "coefficients"
            near 1e-11 "extended" (Kan.apply finer x) (Kan.apply p x)

        testCase "Yarotsky's network is x² to the error of the theorem"
        <| fun () ->
            for depth in 1..8 do
                let x = Tensor.linspace 0.0 1.0 4097 |> expandDims -1
                let error = ErrorNorm.sup (Constructions.relus (Constructions.square depth) x) (x * x)
                near 1e-15 $"{depth}" error (scalar (2.0 ** float (-2 * depth - 2)))

        testCase "periodic features, and conditions on the boundary, hold whatever the parameters"
        <| fun () ->
            let net = Siren.init DType.Float64 3.0 key [ 4; 8; 1 ]
            let f x = Siren.apply net (FourierFeatures.periodic 0.7 2 x)
            let x = expandDims -1 line
            near 1e-12 "one period on" (f (x + 0.7)) (f x)

            let layer =
                Siren.layer DType.Float64 3.0 [ 8; 1 ] |> Constructions.hardBoundary exp (fun x -> 1.0 - x * x)

            let p = layer.Initialize key [| 1 |]
            let ends = Tensor.ofRows [ [ -1.0 ]; [ 1.0 ] ]
            near 1e-15 "at both ends" (Layer.predict layer p ends) (exp ends)

        testCase "a residual layer adds its input, and refuses to change its shape"
        <| fun () ->
            let inner = Siren.layer DType.Float64 3.0 [ 8; 2 ]
            let x = Random.uniform DType.Float64 [ 5; 2 ] key
            let p = inner.Initialize key [| 2 |]
            near 1e-15 "the sum" (Layer.predict (Constructions.residual inner) p x) (x + Layer.predict inner p x)
            let wide = Constructions.residual (Siren.layer DType.Float64 3.0 [ 8; 3 ])

            Expect.throwsT<ShapeException>
                (fun () -> Layer.predict wide (wide.Initialize key [| 2 |]) x |> ignore)
                "wide"

        testCase "the rational activation begins as relu, and sines keep their spread through the layers"
        <| fun () ->
            near 0.025 "relu" (Rational.apply (Rational.init DType.Float64) line) (relu line)
            let net = Siren.init DType.Float64 30.0 key [ 1; 256; 256; 256; 1 ]
            let x = Random.uniform DType.Float64 [ 500; 1 ] key * 2.0 - 1.0
            let hidden = Array.scan (fun x layer -> sin (dense layer x * 30.0)) x net.Layers[..2] |> Array.tail

            for h in hidden do
                let spread = Tensor.toFloat (sqrt (mean (square h)))
                Expect.isTrue (spread > 0.55 && spread < 0.85) $"√½ is expected, {spread} found"

        testCase "what cannot be is said"
        <| fun () ->
            let says (text: string) run =
                try
                    run () |> ignore
                    failtest $"no error: {text}"
                with :? ArgumentException as e ->
                    Expect.stringContains e.Message text "the error"

            says "at least one of each" (fun () -> FourierFeatures.init DType.Float64 1.0 key 0 3 |> box)
            says "a period above 0" (fun () -> FourierFeatures.periodic 0.0 1 line |> box)
            says "a width above 0" (fun () -> RadialBasis.create 0.0 (Tensor.zeros [ 2; 2 ]) |> box)
            says "at least one interval" (fun () -> BSpline.basis 3 0.0 1.0 0 line |> box)
            says "low < high" (fun () -> Kan.init DType.Float64 3 1.0 0.0 5 key 1 1 |> box)
            says "degree 1" (fun () -> ChebyshevKan.init DType.Float64 0 key 1 1 |> box)
            says "from 1 to 26" (fun () -> Constructions.square 0 |> box)
            says "sizes of the input" (fun () -> Siren.init DType.Float64 30.0 key [ 2 ] |> box)
    ]
