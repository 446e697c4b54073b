/// Regions: what treats every example by itself is found, gathered into a loop of one step, and computed there by rows
/// with the same bits; what depends on several examples stays outside.
module Functional.Tests.RegionTests

open Expecto
open Functional
open Functional.Compiling
open Functional.Plans
open Functional.Rewrites
open Functional.Kernels
open Functional.Levels
open Functional.Tracing
open Functional.Operations
open Functional.Tests.Programs
open Functional.Tests.Traced

let private rows = 96

/// A network of two hidden layers, and how it is trained.
type private Net = { First: Dense; Second: Dense; Last: Dense }

let private net (activation: Tensor -> Tensor) n =
    dense n.First >> activation >> dense n.Second >> activation >> dense n.Last

let private layer (seed: int) (ins: int) (outs: int) : Dense = {
    Weights = normal seed [ ins; outs ]
    Bias = Some(normal (seed + 1) [ outs ])
}

let private parameters = { First = layer 1 20 128; Second = layer 3 128 128; Last = layer 5 128 9 }
let private x, y = normal 7 [ rows; 20 ], normal 8 [ rows; 9 ]

/// The graph of a function of trees, simplified, and its inputs.
let private graphOf (f: 'P -> 'R) (p: 'P) =
    let leaves = Tree.leaves p
    let spec (t: Tensor) : Spec = { Shape = t.Shape; DType = t.DType }

    let g = Trace.graph (leaves |> Array.map spec) (fun given -> f (Tree.rebuild p given) |> Tree.leaves)

    Simplify.graph g, leaves |> Array.map (fun t -> (t :?> Concrete).Value)

let private regions (g: Graph) =
    g.Instructions
    |> Array.choose (fun instruction ->
        match instruction with
        | ApplyMany(Scan s, _, _) when Regions.isRegion s -> Some s
        | _ -> None)

let private products (g: Graph) = g.Instructions |> Array.filter (fun i -> (Rows.leading g i).IsSome) |> Array.length

/// A program computes what another does, bit for bit, on any number of threads, also the second time.
let private computesTheSame (g: Graph) (other: Graph) inputs =
    let apart = (Runner(g, { Passes.all with Rows = false })).Run inputs |> numbers

    for threads in 1..3 do
        let found =
            Selection.withThreads threads (fun () ->
                let runner = Runner(other, Passes.all)
                runner.Run inputs |> ignore
                runner.Run inputs |> numbers)

        Expect.equal found apart $"the same bits on {threads} threads"

/// How many regions a program has, and how many products stay outside; the numbers are those of the graph as it was.
let private gathers name expected outside (f: 'P -> 'R) (p: 'P) =
    test name {
        let g, inputs = graphOf f p
        let gathered = Regions.gather 2 g
        Expect.equal (regions gathered).Length expected "regions"
        Expect.equal (products gathered) outside "products outside"
        computesTheSame g gathered inputs
    }

/// Images through two convolutions, pooled, with all gradients; the loss is a mean.
type private Filters = { One: Tensor; Two: Tensor; Three: Tensor }

let private filters = {
    One = normal 20 [ 3; 3; 2; 16 ]
    Two = normal 21 [ 3; 3; 16; 16 ]
    Three = normal 22 [ 5 * 5 * 16; 3 ]
}

let private digits (f, x: Tensor) =
    let pooled kernel = conv ConvOptions.same kernel >> relu >> maxPool (Pool.window [ 2 ])
    let logits = pooled f.One >> pooled f.Two >> reshape [ x.Shape[0]; -1 ] >> fun x -> x *@ f.Three
    mean (square (logSoftmax (logits x)))

/// The slices of a program's loops; the numbers are those of the graph as it was, on any number of threads.
let private slices name (expected: int list) images =
    test name {
        let g, inputs = graphOf (fun p -> valueAndGrad digits p) (filters, normal 23 [ images; 20; 20; 2 ])
        let sliced = Regions.gather 1 g

        Expect.equal
            [
                for instruction in sliced.Instructions do
                    match instruction with
                    | ApplyMany(Scan s, _, _) -> s.Length
                    | _ -> ()
            ]
            expected
            "slices"

        computesTheSame g sliced inputs
    }

let private meanSquare activation (n, x, y) = Loss.meanSquaredError y (net activation n x)

/// Batch normalisation by hand: a sum over the examples in the middle of a network.
let private normalised (n, x, y) =
    let hidden = tanh (dense n.Second (tanh (dense n.First x)))
    let centred = hidden - meanKeep [ 0 ] hidden
    let again = tanh (dense n.Second (tanh (dense n.Second centred)))
    Loss.meanSquaredError y (dense n.Last again)

[<Tests>]
let tests =
    testSequenced
    <| testList "regions" [
        gathers "a network is one region" 1 0 (fun (n, x) -> net tanh n x) (parameters, x)
        gathers
            "a training step: forward and backward are one region, the weights' gradients stay outside"
            1
            0
            (fun (n, x, y) -> valueAndGrad (fun n -> meanSquare tanh (n, x, y)) n)
            (parameters, x, y)
        gathers "a gradient of the input as well" 1 0 (valueAndGrad (meanSquare sigmoid)) (parameters, x, y)
        gathers
            "a softmax and its cross-entropy go by rows"
            1
            0
            (fun (n, x, y) -> grad (fun n -> Loss.categoricalCrossEntropy (softmax y) (softmax (net relu n x))) n)
            (parameters, x, y)
        gathers
            "a sparse cross-entropy goes by rows with its labels"
            1
            0
            (fun (n, x, labels) -> grad (fun n -> Loss.sparseCategoricalCrossEntropyFromLogits labels (net tanh n x)) n)
            (parameters, x, Tensor.ofSeq [ for i in 0 .. rows - 1 -> i % 9 ])
        gathers "a mean over the examples cuts a network into two regions" 2 0 normalised (parameters, x, y)
        gathers
            "weights as long as the batch is wide are not taken for examples"
            1
            0
            (fun (w, x) -> tanh (tanh (x *@ w) *@ w))
            (normal 9 [ rows; rows ], normal 10 [ rows; rows ])
        gathers
            "products of the batch with itself stay outside"
            0
            3
            (fun (x: Tensor) -> x *@ transpose x *@ x *@ transpose x)
            (normal 11 [ rows; 40 ])
        gathers
            "a convolutional network"
            1
            0
            (fun (k: Tensor, w: Tensor, x: Tensor) ->
                let maps = relu (conv ConvOptions.defaults k x)
                let maps = relu (conv ConvOptions.defaults k maps)
                reshape [ 8; -1 ] (maxPool (Pool.window [ 2; 2 ]) maps) *@ w)
            (normal 12 [ 3; 3; 16; 16 ], normal 13 [ 4 * 4 * 16; 5 ], normal 14 [ 8; 12; 12; 16 ])
        gathers
            "little work is not worth it"
            0
            3
            (fun (n, x) -> net tanh n x)
            ({ First = layer 1 2 3; Second = layer 3 3 3; Last = layer 5 3 2 }, normal 15 [ 4; 2 ])
        slices "what does not stay in the caches is cut into slices of the batch" [ 2 ] 32
        slices "slices are equally large" [ 3 ] 33
        slices "a batch that cannot be cut" [] 37
        slices "a small batch stays whole" [] 4
        test "one thread meets nobody" {
            let g, _ = graphOf (fun (n, x) -> net tanh n x) (parameters, x)

            let prepared threads = Selection.withThreads threads (fun () -> Regions.graph g)
            Expect.isEmpty (regions (prepared 1)) "one thread"
            Expect.hasLength (regions (prepared 2)) 1 "two threads"
        }
        test "Explain shows what runs by rows" {
            Selection.withThreads 2 (fun () ->
                let step = compiled (fun (n, x) -> net tanh n x)
                step.Invoke(parameters, x) |> ignore
                let text = step.Explain()
                Expect.stringContains text "by rows" "the region"
                Expect.stringContains text "parts by rows, the first:" "its parts"
                Expect.stringContains text "tanh : Float64 48×128" "a kernel on half of the rows")
        }
    ]
