/// Sums of very many numbers in single precision: none stops where a number takes up no more of the next (2²⁴ ones), and none
/// drifts. The references are sums in double precision, and whole numbers that are exact.
module Functional.Tests.Accuracy.LongSumTests

open Expecto
open Functional
open Functional.Kernels
open Functional.Tests.Selection

let private single (xs: float32[]) = Tensor.create [ xs.Length ] xs
let private last (x: Tensor) = (Tensor.toFloats x)[x.Size - 1]

/// 2²⁴, and ones after it, each too small to count alone.
let private count = 1 <<< 18
let private filling = Array.init (1 + count) (fun i -> if i = 0 then 16777216.0f else 1.0f)
let private whole = 16777216.0 + float count

/// Tenths, whose sum drifts when it is made one by one.
let private many = 1 <<< 20
let private tenths = Array.create many 0.1f
let private ofTenths = float 0.1f * float many

let private near tolerance what (wanted: float) (found: float) =
    Expect.isLessThanOrEqual (abs (found - wanted)) (tolerance * abs wanted) $"{what}: {found} should be {wanted}"

/// A value eager and compiled.
let private bothWays what check (f: Tensor -> Tensor) (x: Tensor) =
    check what (f x)
    check $"{what}, compiled" (compile f x)

[<Tests>]
let tests =
    testList "long sums"
    <| List.map slow [
        testCase "running sums and products"
        <| fun () ->
            let exact what y = Expect.equal (last y) whole what
            bothWays "cumsum" exact (cumsum 0) (single filling)
            bothWays "side by side" exact (cumsum 0) (stack 1 (List.replicate 9 (single filling)))

            let backwards (x: Tensor) =
                reverse [ 0 ] (grad (fun x -> inner (cumsum 0 x) (reverse [ 0 ] (single filling))) x)

            bothWays "its derivative" exact backwards (single filling)
            bothWays "of tenths" (fun what y -> near 1e-7 what ofTenths (last y)) (cumsum 0) (single tenths)
            let growth = single (Array.create many 1.000001f)
            let product = float 1.000001f ** float many
            bothWays "cumprod" (fun what y -> near 1e-6 what product (last y)) (cumprod 0) growth

            bothWays
                "cumprod side by side"
                (fun what y -> near 1e-6 what product (last y))
                (cumprod 0)
                (stack 1 [ growth; growth; growth ])

        testCase "added at one place"
        <| fun () ->
            let index = Tensor.create [ filling.Length ] (Array.create filling.Length 1)
            let exact what y = Expect.equal (Tensor.toFloats y |> Array.max) whole what
            bothWays "scatterAdd" exact (scatterAdd 0 3 index) (single filling)
            let rows = stack 1 (List.replicate 20 (single filling))
            bothWays "of rows" exact (scatterAdd 0 3 index) rows
            bothWays "scatterAlong" exact (scatterAlong 0 3 index) (single filling)

            bothWays
                "in columns"
                exact
                (scatterAlong 1 3 (stack 0 [ index; index ]))
                (stack 0 [ single filling; single filling ])

            let derivative (x: Tensor) = grad (fun x -> inner (take 0 index x) (single filling)) x
            bothWays "the derivative of take" exact derivative (single [| 1.0f; 2.0f; 3.0f |])
            let along (x: Tensor) = grad (fun x -> inner (gatherAlong 0 index x) (single filling)) x
            bothWays "the derivative of gatherAlong" exact along (single [| 1.0f; 2.0f; 3.0f |])

        testCase "few and many at their places"
        <| fun () ->
            // some places are busy and others not: what is added where is what a loop in double precision adds
            let random = System.Random 4
            let n, size, width = 20000, 50, 5
            let index = Array.init n (fun _ -> if random.Next 2 = 0 then 7 else random.Next size)
            let updates = Array.init (n * width) (fun _ -> float32 (random.NextDouble()))
            let wanted = Array.zeroCreate<float>(size * width)

            for i in 0 .. n - 1 do
                for j in 0 .. width - 1 do
                    wanted[index[i] * width + j] <- wanted[index[i] * width + j] + float updates[i * width + j]

            let found = scatterAdd 0 size (Tensor.create [ n ] index) (Tensor.create [ n; width ] updates)
            Array.iter2 (near 2e-5 "a place") wanted (Tensor.toFloats found)

        testCase "products with very many terms"
        <| fun () ->
            let random = System.Random 6
            let k = many + 77

            for m, n in [ 2, 3; 1, 1; 1, 40; 33, 1; 9, 35 ] do
                let k = if m * n > 100 then k / 8 else k
                // positive, so that what is lost does not cancel
                let a = Array.init (k * m) (fun i -> if i % 3 = 0 then 0.1f else float32 (random.NextDouble()))
                let b = Array.init (k * n) (fun i -> if i % 5 = 0 then 0.1f else float32 (random.NextDouble()))
                let wanted = Array.zeroCreate<float>(m * n)

                for l in 0 .. k - 1 do
                    for i in 0 .. m - 1 do
                        for j in 0 .. n - 1 do
                            wanted[i * n + j] <- wanted[i * n + j] + float a[l * m + i] * float b[l * n + j]

                let a, b = Tensor.create [ k; m ] a, Tensor.create [ k; n ] b
                let check what (y: Tensor) = Array.iter2 (near 2e-5 $"{what} {m}×{n}") wanted (Tensor.toFloats y)
                check "turned left" (transpose a *@ b)
                check "compiled" (compile (fun (a, b) -> transpose a *@ b) (a, b))
                check "straight" (Tensor.create [ m; k ] (Tensor.toArray<float32>(transpose a)) *@ b)
                check "gradient" (grad (fun w -> inner (a *@ w) b) (Tensor.full DType.Float32 [ m; n ] 0.0))

        testCase "a product with very many terms, added to something"
        <| fun () ->
            let k = 20000
            let x, w = Tensor.full DType.Float32 [ 2; k ] 0.1, Tensor.full DType.Float32 [ k; 3 ] 1.0
            let b = Tensor.full DType.Float32 [ 3 ] 5.0
            let dense what y = near 2e-5 what (float 0.1f * float k + 5.0) (last y)
            bothWays "bias" dense (affine w b) x
            let step (onto: Tensor) = addScaled -0.5 onto (x *@ w)
            let scaled what y = near 2e-5 what (1.0 - 0.5 * float 0.1f * float k) (last y)
            bothWays "scaled" scaled step (Tensor.full DType.Float32 [ 2; 3 ] 1.0)

        testCase "softmax of very many numbers"
        <| fun () ->
            let t = softmax (Tensor.full DType.Float32 [ many ] 3.0)
            near 1e-6 "a share" (1.0 / float many) (last t)
            let g = grad (fun x -> index 0 0 (softmax x)) (Tensor.full DType.Float32 [ many ] 3.0)
            near 1e-6 "its slope" (-1.0 / (float many * float many)) (last g)
            let columns = Tensor.full DType.Float32 [ many; 2 ] 3.0
            near 1e-6 "a share in a column" (1.0 / float many) (last (softmaxOver 0 columns))
    ]
