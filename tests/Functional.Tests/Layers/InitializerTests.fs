/// Initialisers: fans as Keras counts them, bounds, and moments of large draws.
module Functional.Tests.Layers.InitializerTests

open System
open Expecto
open Functional
open Functional.Tests.Layers.Close

let private key = Key.create 7L
let private shape = [| 300; 200 |]

let private deviation (x: Tensor) = Tensor.toFloat (sqrt (variance x))
let private extreme (x: Tensor) = Tensor.toFloat (amax (abs x))

let private uniforms = [
    "Glorot", Initializer.glorotUniform, sqrt (6.0 / 500.0)
    "He", Initializer.heUniform, sqrt (6.0 / 300.0)
    "LeCun", Initializer.lecunUniform, sqrt (3.0 / 300.0)
    "uniform", Initializer.uniform -0.05 0.05, 0.05
]

let private truncated = [
    "Glorot", Initializer.glorotNormal, sqrt (2.0 / 500.0)
    "He", Initializer.heNormal, sqrt (2.0 / 300.0)
    "LeCun", Initializer.lecunNormal, sqrt (1.0 / 300.0)
    "truncated", Initializer.truncatedNormal 0.1, 0.1 * 0.87962566103423978
]

[<Tests>]
let tests =
    testList "initialisers" [
        testCase "fans"
        <| fun () ->
            Expect.equal (Initializer.fans [||]) (struct (1.0, 1.0)) "scalar"
            Expect.equal (Initializer.fans [| 5 |]) (struct (5.0, 5.0)) "vector"
            Expect.equal (Initializer.fans [| 3; 4 |]) (struct (3.0, 4.0)) "weights"
            Expect.equal (Initializer.fans [| 2; 5; 3; 4 |]) (struct (30.0, 40.0)) "convolution kernel"

        for name, init, bound in uniforms do
            testCase $"{name}, uniform"
            <| fun () ->
                let x: Tensor = init DType.Float64 shape key
                Expect.isTrue (extreme x <= bound && extreme x > 0.999 * bound) "reaches its bounds and no further"
                Expect.floatClose { absolute = 0.0; relative = 0.01 } (deviation x) (bound / sqrt 3.0) "deviation"

        for name, init, sigma in truncated do
            testCase $"{name}, truncated normal"
            <| fun () ->
                let x: Tensor = init DType.Float64 shape key
                Expect.isTrue (extreme x <= 2.0 * sigma / 0.87962566103423978) "cut off at two deviations"
                Expect.floatClose { absolute = 0.0; relative = 0.01 } (deviation x) sigma "deviation"

        testCase "normal"
        <| fun () ->
            let x = Initializer.normal 0.05 DType.Float32 shape key
            Expect.equal x.DType DType.Float32 "type"
            Expect.floatClose { absolute = 0.0; relative = 0.01 } (deviation x) 0.05 "deviation"

        testCase "constants"
        <| fun () ->
            expectClose 0.0 [ 0.0; 0.0 ] (Initializer.zeros DType.Float32 [| 2 |] key) "zeros"
            expectClose 0.0 [ 1.0; 1.0 ] (Initializer.ones DType.Float64 [| 2 |] key) "ones"
            expectClose 0.0 [ 2.5; 2.5 ] (Initializer.constant 2.5 DType.Float64 [| 2 |] key) "constant"

        testCase "variance scaling by each fan, and the identity"
        <| fun () ->
            let draw fan isUniform =
                deviation (Initializer.varianceScaling 3.0 fan isUniform DType.Float64 [| 300; 500 |] key)

            for fan, count in [ Initializer.Inputs, 300.0; Initializer.Outputs, 500.0; Initializer.Average, 400.0 ] do
                for isUniform in [ true; false ] do
                    Expect.floatClose
                        { absolute = 0.0; relative = 0.01 }
                        (draw fan isUniform)
                        (sqrt (3.0 / count))
                        $"{fan}"

            let half = Initializer.identity 0.5 DType.Float32
            expectClose 0.0 [ 0.5; 0.0; 0.0; 0.0; 0.5; 0.0 ] (half [| 2; 3 |] key) "wide"
            expectClose 0.0 [ 0.5; 0.0; 0.0; 0.5; 0.0; 0.0 ] (half [| 3; 2 |] key) "tall"
            expectRefused [ "two axes" ] (fun () -> half [| 3 |] key)

        for rows, columns in [ 7, 4; 4, 7; 5, 5 ] do
            testCase $"orthogonal {rows}×{columns}"
            <| fun () ->
                let q = Initializer.orthogonal 3.0 DType.Float64 [| rows; columns |] key
                let gram = if rows >= columns then transpose q *@ q else q *@ transpose q

                expectClose
                    1e-12
                    (Tensor.toFloats (Tensor.eye DType.Float64 (min rows columns) * 9.0))
                    gram
                    "gram matrix"

        testCase "orthogonal kernels and bad shapes"
        <| fun () ->
            Expect.equal (Initializer.orthogonal 1.0 DType.Float32 [| 3; 3; 2; 8 |] key).Shape [| 3; 3; 2; 8 |] "kernel"
            expectRefused [ "two axes" ] (fun () -> Initializer.orthogonal 1.0 DType.Float32 [| 3 |] key)
    ]
