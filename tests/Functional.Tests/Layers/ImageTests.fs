/// Functions and layers of images: the talk's worked slide, shapes, errors, statistics, and gradients of every parameter.
module Functional.Tests.Layers.ImageTests

open Expecto
open Functional
open Functional.Tests.Layers.Close

/// An image worked out backwards from the talk's map: what of it the slide shows comes out of this one.
let private slideImage =
    [
        [ 3; 5; 6; 0; 5; 4; 5; 4 ]
        [ 1; 0; 5; 1; 2; 2; 3; 2 ]
        [ 4; 3; 1; 5; 5; 4; 1; 6 ]
        [ 3; 3; 4; 3; 2; 1; 3; 4 ]
        [ 6; 2; 1; 0; 1; 1; 1; 3 ]
        [ 6; 5; 1; 1; 2; 6; 3; 1 ]
        [ 2; 5; 0; 3; 0; 1; 1; 4 ]
        [ 2; 4; 5; 2; 6; 5; 1; 6 ]
    ]
    |> List.concat
    |> List.map float32
    |> Array.ofList
    |> Tensor.create [ 1; 8; 8; 1 ]

let private slideMap = [
    [ 35; 27; 44; 32; 36; 38 ]
    [ 34; 36; 40; 37; 31; 43 ]
    [ 36; 30; 26; 23; 24; 35 ]
    [ 37; 19; 17; 23; 25; 28 ]
    [ 34; 27; 14; 28; 24; 32 ]
    [ 32; 38; 25; 34; 22; 40 ]
]

let private slideFilter =
    Tensor.create [ 3; 3; 1; 1 ] [| 1.0f; 0.0f; 1.0f; 2.0f; 1.0f; 3.0f; 1.0f; 1.0f; 2.0f |]

let private rows (t: Tensor) =
    Tensor.toFloats t
    |> Array.map int
    |> Array.chunkBySize t.Shape[2]
    |> List.ofArray
    |> List.map List.ofArray

let private slideByFunctions () =
    let map = conv ConvOptions.defaults slideFilter slideImage
    [| map; maxPool (Pool.window [ 2 ]) map; conv ConvOptions.same slideFilter slideImage |]

/// Every place of the image with what lies around it, summed one by one.
let private slideSums () =
    let image, filter = array2D (rows slideImage), Tensor.toFloats slideFilter |> Array.map int
    let pixel row column = if row < 0 || row > 7 || column < 0 || column > 7 then 0 else image[row, column]

    List.init 8 (fun row ->
        List.init 8 (fun column ->
            List.sum [ for k in 0..8 -> filter[k] * pixel (row + k / 3 - 1) (column + k % 3 - 1) ]))

let private gradients name (f: 'P -> Tensor -> Tensor) (p: 'P) (shape: int list) =
    testCase $"{name}: gradients"
    <| fun () ->
        let given = p, numbers 1 shape
        let weigh (y: Tensor) = inner y (numbers 5 (List.ofArray y.Shape))
        let loss (p, x) = weigh (f p x)
        let leaves = Tree.leaves given
        let found = Tree.leaves (grad loss given)
        let planned = Tree.leaves ((compiled (grad loss)).Invoke given)

        for i in 0 .. leaves.Length - 1 do
            let along t = loss (Tree.rebuild given (Array.updateAt i t leaves))

            if (Tree.trainable given)[i] then
                expectClose 1e-7 (differences along leaves[i]) found[i] $"{name}: gradient {i}"

            expectClose 1e-12 (Tensor.toFloats found[i]) planned[i] $"{name}: compiled gradient {i}"

let private wide = {
    Conv.defaults with
        DType = DType.Float64
        BiasInitializer = Some(Initializer.normal 1.0)
}

let private same = { wide with Options = ConvOptions.same }
let private norm = { Normalization.defaults with DType = DType.Float64 }
let private key = Key.create 4L

[<Tests>]
let tests =
    testList "images" [
        for via, slide in
            [
                "functions", slideByFunctions
                "facade", fun () -> Fixtures.Models.Slide(slideImage, slideFilter)
            ] do
            testCase $"the talk's slide by {via}: the map, its pooling, the map with padding"
            <| fun () ->
                let parts = slide ()
                Expect.equal (rows parts[0]) slideMap "the 6×6 map"
                Expect.equal (rows parts[1]) [ [ 36; 44; 43 ]; [ 37; 26; 35 ]; [ 38; 34; 40 ] ] "2×2 max-pooling"
                Expect.equal (rows parts[2]) (slideSums ()) "with padding the map is as large as the image"
                Expect.equal (rows (cropping [ 1, 1; 1, 1 ] parts[2])) slideMap "and the same inside"

        testCase "padding: sizes and places"
        <| fun () ->
            let x = Tensor.create [ 1; 5; 1 ] [| 1.0; 2.0; 3.0; 4.0; 5.0 |]
            let kernel = Tensor.create [ 2; 1; 1 ] [| 10.0; 1.0 |]

            let run padding strides =
                Tensor.toFloats (conv { ConvOptions.defaults with Padding = padding; Strides = strides } kernel x)

            Expect.equal (run Padding.Valid []) [| 12.0; 23.0; 34.0; 45.0 |] "valid"
            Expect.equal (run Padding.Same []) [| 12.0; 23.0; 34.0; 45.0; 50.0 |] "same: one more at the end"
            Expect.equal (run Padding.Causal []) [| 1.0; 12.0; 23.0; 34.0; 45.0 |] "causal"
            Expect.equal (run Padding.Same [ 2 ]) [| 12.0; 34.0; 50.0 |] "same, stride 2"
            Expect.equal (run (Padding.Explicit [ 2, 1 ]) [ 3 ]) [| 0.0; 23.0; 50.0 |] "explicit, stride 3"

        testCase "an average counts what lies in the image, or the whole window"
        <| fun () ->
            let x = Tensor.create [ 1; 3; 1 ] [| 2.0; 4.0; 6.0 |]
            let options = { Pool.window [ 3 ] with Strides = [ 1 ]; Padding = Padding.Same }
            expectClose 1e-15 [| 3.0; 4.0; 5.0 |] (averagePool options x) "image"
            expectClose 1e-15 [| 2.0; 4.0; 10.0 / 3.0 |] (averagePool { options with CountPadding = true } x) "window"

        testCase "max-pooling sends its gradient to the first maximum, and NaN through"
        <| fun () ->
            let x = Tensor.create [ 1; 4; 1 ] [| 3.0; 3.0; -infinity; -infinity |]
            let pooled = maxPool (Pool.window [ 2 ])
            Expect.equal (Tensor.toFloats (grad (pooled >> sum) x)) [| 1.0; 0.0; 1.0; 0.0 |] "equals"
            let y = pooled (Tensor.create [ 1; 4; 1 ] [| 1.0; nan; 5.0; 4.0 |]) |> Tensor.toFloats
            Expect.isTrue (System.Double.IsNaN y[0] && y[1] = 5.0) "NaN"

        testCase "the transposed convolution takes the convolution's result back to its image's size"
        <| fun () ->
            for padding in [ Padding.Valid; Padding.Same ] do
                for stride in 1..3 do
                    let options = { ConvOptions.defaults with Strides = [ stride ]; Padding = padding }
                    let y = numbers 1 [ 2; 4; 5; 3 ]
                    let kernel = numbers 2 [ 3; 2; 2; 3 ]
                    let x = convTranspose options kernel y
                    Expect.equal (conv options kernel x).Shape y.Shape $"%A{padding}, stride {stride}"
                    let z = numbers 3 (List.ofArray x.Shape)
                    let a, b = Tensor.toFloat (inner x z), Tensor.toFloat (inner y (conv options kernel z))
                    Expect.floatClose Accuracy.high a b "adjoint"

        testCase "up-sampling, padding and cropping"
        <| fun () ->
            let x = Tensor.create [ 1; 2; 2; 1 ] [| 1.0; 2.0; 3.0; 4.0 |]
            let larger = upSampling [ 2; 1 ] x
            Expect.equal (rows larger) [ [ 1; 2 ]; [ 1; 2 ]; [ 3; 4 ]; [ 3; 4 ] ] "up-sampling"
            // ONNX's test_resize_upsample_scales_linear, whose coordinates are Keras'
            let between = bilinearUpSampling [ 2; 2 ] x

            let expected = [
                [ 1.0; 1.25; 1.75; 2.0 ]
                [ 1.5; 1.75; 2.25; 2.5 ]
                [ 2.5; 2.75; 3.25; 3.5 ]
                [ 3.0; 3.25; 3.75; 4.0 ]
            ]

            expectClose 1e-15 (List.concat expected) between "bilinear"
            let row = Tensor.create [ 1; 1; 3; 1 ] [| 0.0; 3.0; 9.0 |]

            expectClose
                1e-14
                [ 0.0; 0.0; 1.0; 2.0; 3.0; 5.0; 7.0; 9.0; 9.0 ]
                (bilinearUpSampling [ 1; 3 ] row)
                "by three"

            expectClose 0.0 (Tensor.toFloats x) (bilinearUpSampling [ 1; 1 ] x) "by one"
            let padded = zeroPadding [ 1, 0; 0, 1 ] x
            Expect.equal (rows padded) [ [ 0; 0; 0 ]; [ 1; 2; 0 ]; [ 3; 4; 0 ] ] "padding"
            Expect.equal (rows (cropping [ 1, 0; 0, 1 ] padded)) (rows x) "cropping"

        gradients "bilinear up-sampling" (fun () -> bilinearUpSampling [ 2; 3 ]) () [ 2; 3; 4; 2 ]

        testCase "group normalisation with channels on any axis"
        <| fun () ->
            let x = numbers 1 [ 2; 6; 3; 4 ]

            let first = {
                norm with
                    Axis = 1
                    BetaInitializer = Initializer.normal 1.0
                    GammaInitializer = Initializer.normal 1.0
            }

            let p = Normalization.init first key 6
            let last = groupNormalization { first with Axis = -1 } 2 p (channelsLast x) |> channelsFirst
            expectClose 1e-14 (Tensor.toFloats last) (groupNormalization first 2 p x) "channels first"
            let each = groupNormalization { first with Axis = -1 } 6 p (channelsLast x)
            let instance = groupNormalization { first with Axis = -1 } -1 p (channelsLast x)
            expectClose 0.0 (Tensor.toFloats each) instance "-1 is as many groups as channels"

        gradients "convolution" (convolution same.Options) (Conv.initWith same key [ 3; 2 ] 2 3) [ 2; 4; 5; 2 ]
        gradients
            "strides, dilation, groups"
            (convolution { ConvOptions.same with Strides = [ 2; 1 ]; Dilations = [ 1; 2 ]; Groups = 2 })
            (Conv.initWith { wide with Options = { wide.Options with Groups = 2 } } key [ 3; 3 ] 4 6)
            [ 1; 5; 6; 4 ]
        gradients
            "transposed"
            (transposedConvolution { same.Options with Strides = [ 2 ] })
            (Conv.initTranspose same key [ 3 ] 2 3)
            [ 2; 4; 2 ]
        gradients "depthwise" (depthwiseConvolution same.Options) (Conv.initDepthwise same key [ 2; 3 ] 3 2) [
            2
            4
            4
            3
        ]
        gradients "separable" (separableConvolution same.Options) (Conv.initSeparable same key [ 3; 3 ] 2 2 3) [
            1
            4
            4
            2
        ]
        gradients
            "max-pooling"
            (fun (_: Tensor list) -> maxPool { Pool.window [ 3; 2 ] with Strides = [ 2 ]; Padding = Padding.Same }) [] [
                2
                5
                5
                2
            ]
        gradients
            "average"
            (fun (_: Tensor list) -> averagePool { Pool.window [ 3; 2 ] with Strides = [ 2 ]; Padding = Padding.Same }) [] [
                2
                5
                5
                2
            ]
        gradients
            "batch normalisation"
            (fun p x -> fst (batchNormalization norm (Training key) p x))
            (Normalization.initBatch norm key 3)
            [ 4; 2; 3 ]
        gradients
            "batch normalisation, answering"
            (fun p x -> fst (batchNormalization norm Inference p x))
            (Normalization.initBatch norm key 3)
            [ 4; 3 ]
        gradients "layer normalisation" (layerNormalization norm) (Normalization.init norm key 4) [ 3; 4 ]
        gradients
            "local response normalisation"
            (fun () -> localResponseNormalization { LocalResponse.alexNet with Alpha = 0.3; Size = 3 })
            ()
            [ 2; 3; 5 ]

        gradients "group normalisation" (groupNormalization norm 2) (Normalization.init norm key 4) [ 2; 3; 3; 4 ]

        testCase "batch normalisation: the batch's statistics, and running ones that learning returns"
        <| fun () ->
            let x = numbers 3 [ 8; 5; 5; 2 ] * 3.0 + 1.0
            let p = Normalization.initBatch norm key 2
            let y, moved = batchNormalization { norm with Epsilon = 0.0 } (Training key) p x
            expectClose 1e-12 [| 0.0; 0.0 |] (meanOver [ 0; 1; 2 ] y) "mean"
            expectClose 1e-12 [| 1.0; 1.0 |] (varianceOver [ 0; 1; 2 ] y) "variance"
            expectClose 1e-12 (Tensor.toFloats (meanOver [ 0; 1; 2 ] x * 0.01)) moved.MovingMean.Value "running mean"

            expectClose
                1e-12
                (Tensor.toFloats (0.99 + varianceOver [ 0; 1; 2 ] x * 0.01))
                moved.MovingVariance.Value
                "running variance"

            let _, kept = batchNormalization norm Inference p x
            Expect.isTrue (obj.ReferenceEquals(kept, p)) "answering changes nothing"

        testCase "local response normalisation: the paper's formula, number by number"
        <| fun () ->
            let settings = { LocalResponse.alexNet with Alpha = 0.5 }
            let x = numbers 4 [ 2; 3; 7 ]
            let a = Tensor.toFloats x

            let expected =
                Array.init a.Length (fun i ->
                    let channel, first = i % 7, i - i % 7
                    let around = seq { max 0 (channel - 2) .. min 6 (channel + 2) }
                    a[i] / (2.0 + 0.5 * Seq.sumBy (fun j -> a[first + j] ** 2.0) around) ** 0.75)

            expectClose 1e-14 expected (localResponseNormalization settings x) "neighbours"

        testCase "noise keeps the mean; the same key draws the same; answers are undisturbed"
        <| fun () ->
            let x = Tensor.full DType.Float64 [ 40; 10; 10; 8 ] 1.0

            for name, f in
                [
                    "dropout", dropout 0.3
                    "spatial dropout", spatialDropout 0.3
                    "gaussian noise", gaussianNoise 0.5
                    "gaussian dropout", gaussianDropout 0.3
                ] do
                let y = f key x
                let accuracy = { absolute = 0.1; relative = 0.0 }
                Expect.floatClose accuracy (Tensor.toFloat (mean y)) 1.0 name
                Expect.equal (Tensor.toFloats (f key x)) (Tensor.toFloats y) $"{name}: same key"

            let whole = spatialDropout 0.3 key x
            let spread = maxOver [ 1; 2 ] whole - minOver [ 1; 2 ] whole
            Expect.equal (Tensor.toFloat (amax spread)) 0.0 "channels fall whole"
            Expect.isTrue (obj.ReferenceEquals(Layer.predict (Layers.spatialDropout 0.3) () x, x)) "answers"

        testCase "layers say their shapes, and give them"
        <| fun () ->
            let check (layer: Layer<'P>) (shape: int list) =
                let p = layer.Initialize key (Array.ofList shape)
                let x = Tensor.full DType.Float32 (2 :: shape) 0.5
                let y, _ = layer.Apply (Training key) p x
                Expect.equal y.Shape (Array.append [| 2 |] (layer.OutputShape(Array.ofList shape))) layer.Name

            let strided = { Conv.defaults with Options = { ConvOptions.same with Strides = [ 2 ] } }
            check (Layers.conv 4 [ 3 ]) [ 9; 2 ]
            check (Layers.convSame 4 [ 3; 3 ]) [ 9; 8; 2 ]
            check (Layers.conv 4 [ 2; 3; 3 ]) [ 3; 9; 8; 2 ]
            check (ImageLayers.conv strided 4 [ 3; 3 ]) [ 9; 8; 2 ]
            check (ImageLayers.convTranspose strided 4 [ 3; 3 ]) [ 9; 8; 2 ]
            check (ImageLayers.convTranspose Conv.defaults 4 [ 3; 3 ]) [ 9; 8; 2 ]
            check (ImageLayers.depthwiseConv strided 3 [ 3; 3 ]) [ 9; 8; 2 ]
            check (ImageLayers.separableConv strided 2 5 [ 3; 3 ]) [ 9; 8; 2 ]
            check (Layers.maxPool [ 2; 2 ]) [ 9; 8; 2 ]
            check (Layers.averagePool [ 2; 2 ]) [ 9; 8; 2 ]
            check Layers.globalMaxPool [ 9; 8; 2 ]
            check Layers.globalAveragePool [ 9; 2 ]
            check (ImageLayers.zeroPadding [ 1, 2; 0, 3 ]) [ 4; 4; 2 ]
            check (ImageLayers.cropping [ 1, 2; 0, 3 ]) [ 4; 4; 2 ]
            check (ImageLayers.upSampling [ 2; 3 ]) [ 4; 4; 2 ]
            check (ImageLayers.bilinearUpSampling [ 2; 3 ]) [ 4; 4; 2 ]
            check Layers.batchNormalization [ 4; 4; 2 ]
            check Layers.layerNormalization [ 4; 6 ]
            check (ImageLayers.groupNormalization Normalization.defaults 2) [ 4; 4; 6 ]

        testCase "bad input is refused in the user's words"
        <| fun () ->
            let x = numbers 1 [ 1; 4; 4; 6 ]
            let kernel = numbers 2 [ 3; 3; 6; 8 ]
            let run options (kernel: Tensor) () = conv options kernel x

            expectRefused
                [ "larger than the image"; "size 5"; "size 4" ]
                (run ConvOptions.defaults (numbers 2 [ 5; 5; 6; 8 ]))

            expectRefused [ "reaches over 5" ] (run { ConvOptions.defaults with Dilations = [ 2 ] } kernel)
            expectRefused [ "6 channels"; "4 groups" ] (run { ConvOptions.defaults with Groups = 4 } kernel)
            expectRefused [ "6 channels"; "expects 3"; "3×3×3×8" ] (run ConvOptions.defaults (numbers 2 [ 3; 3; 3; 8 ]))
            expectRefused [ "strides of 0" ] (run { ConvOptions.defaults with Strides = [ 0 ] } kernel)
            expectRefused [ "3 strides"; "2 axes" ] (run { ConvOptions.defaults with Strides = [ 1; 1; 1 ] } kernel)
            expectRefused [ "3×6×8"; "needs 4 axes" ] (run ConvOptions.defaults (numbers 2 [ 3; 6; 8 ]))
            expectRefused [ "bias"; "8 features" ] (fun () -> convBias ConvOptions.defaults kernel (numbers 1 [ 7 ]) x)
            expectRefused [ "Float64"; "Float32" ] (run ConvOptions.defaults (cast DType.Float32 kernel))

            expectRefused [ "in the padding altogether" ] (fun () ->
                maxPool { Pool.window [ 2 ] with Padding = Padding.Explicit [ 2, 0; 0, 0 ] } x)

            expectRefused [ "leaves nothing" ] (fun () -> cropping [ 2, 2; 0, 0 ] x)

            expectRefused [ "6 channels"; "4 groups" ] (fun () ->
                groupNormalization norm 4 (Normalization.init norm key 6) x)

            expectRefused [ "6 features"; "3" ] (fun () ->
                fst (batchNormalization norm Inference (Normalization.initBatch norm key 3) x))
    ]
