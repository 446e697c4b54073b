/// Recurrent layers: gradients of every parameter and initial state, masks, dropout, stacks and directions, compiled runs.
module Functional.Tests.Layers.RecurrentTests

open Expecto
open Functional
open Functional.Tests.Layers.Close

let private settings = { Cell.defaults with DType = DType.Float64 }

/// The gradients of a cell in inputs, every weight and the initial state, eager and compiled, with a masked step.
let private gradients name (cell: Cell<'P, 'S>) =
    testCase $"{name}: gradients, masks, compiled"
    <| fun () ->
        let p = cell.Initialize settings (Key.create 3L) 3 4
        let x = numbers 1 [ 2; 5; 3 ]
        let start = Tree.map (fun t -> numbers 2 (List.ofArray t.Shape)) (cell.Start p 2)
        let mask = Tensor.create [ 2; 5 ] [| true; true; true; false; false; true; false; true; true; true |]
        let options = { Recurrent.defaults with Mask = Some mask }

        let loss (p, start, x) =
            let y, state = Recurrent.run cell options (Some start) p x
            let weigh (t: Tensor) = inner t (numbers 5 (List.ofArray t.Shape))
            weigh y + weigh (cell.Output state)

        let given = p, start, x
        let leaves = Tree.leaves given
        let found = Tree.leaves (grad loss given)
        let planned = Tree.leaves ((compiled (grad loss)).Invoke given)

        for i in 0 .. leaves.Length - 1 do
            let along t = loss (Tree.rebuild given (Array.updateAt i t leaves))
            expectClose 1e-7 (differences along leaves[i]) found[i] $"{name}: gradient {i}"
            expectClose 1e-13 (Tensor.toFloats found[i]) planned[i] $"{name}: compiled gradient {i}"

        let padded = expandDims 2 (logicalNot mask) |> broadcastTo x.Shape
        Expect.equal (Tensor.toFloat (sum (where padded (abs found[leaves.Length - 1]) (x * 0.0)))) 0.0 "masked steps"

[<Tests>]
let tests =
    testList "recurrent" [
        gradients "simple rnn" SimpleRnn.cell
        gradients "lstm" Lstm.cell
        gradients "gru" Gru.cell
        gradients "gru, reset after" (Gru.cellWith { Gru.defaults with ResetAfter = true })

        testCase "padding may hold anything: exactly nothing flows back to it"
        <| fun () ->
            let p = Gru.cell.Initialize settings (Key.create 3L) 3 4
            let mask = Tensor.create [ 2; 4 ] [| true; true; false; false; true; true; true; false |]
            let junk = where (expandDims 2 mask) (numbers 1 [ 2; 4; 3 ]) (scalar nan)
            let options = { Recurrent.defaults with Mask = Some mask }
            let dp, dx = grad (fun (p, x) -> weigh (Recurrent.last Gru.cell options p x)) (p, junk)
            Expect.isTrue (Tree.leaves dp |> Array.forall (Tensor.toFloats >> Array.forall System.Double.IsFinite)) "p"
            let atPadding = where (broadcastTo dx.Shape (expandDims 2 mask)) (Tensor.zerosLike dx) dx
            Expect.all (Tensor.toFloats atPadding) ((=) 0.0) "exactly 0"

            let short =
                Recurrent.last Gru.cell Recurrent.defaults p (numbers 1 [ 2; 4; 3 ] |> narrow 0 0 1 |> narrow 1 0 2)

            let padded = Recurrent.last Gru.cell options p junk |> narrow 0 0 1
            expectClose 1e-15 (Tensor.toFloats short) padded "and the sequence is as long as it is"

        testCase "a run may be cut: the state of the first part begins the second, and single steps do the same"
        <| fun () ->
            let p = Lstm.cell.Initialize settings (Key.create 3L) 3 4
            let x = numbers 1 [ 2; 5; 3 ]
            let run = Recurrent.run Lstm.cell Recurrent.defaults
            let whole, last = run None p x
            let _, middle = run None p (narrow 1 0 2 x)
            let rest, again = run (Some middle) p (narrow 1 2 3 x)
            expectClose 1e-15 (Tensor.toFloats (narrow 1 2 3 whole)) rest "outputs"
            let stepped = Array.fold (fun s x -> Recurrent.step Lstm.cell p s x) (Lstm.cell.Start p 2) (unstack 1 x)

            for name, found in [ "cut", again; "single steps", stepped ] do
                expectClose 1e-15 (Tensor.toFloats last.Hidden) found.Hidden name
                expectClose 1e-15 (Tensor.toFloats last.Memory) found.Memory name

        testCase "a stack: states in and out, gradients, and the layer"
        <| fun () ->
            let draw seed inputs units = Gru.cell.Initialize settings (Key.create seed) inputs units
            let ps = [ draw 1L 3 4; draw 2L 4 2 ]
            let x = numbers 1 [ 2; 3; 3 ]
            let starts = [ numbers 2 [ 2; 4 ]; numbers 3 [ 2; 2 ] ]
            let run (starts, ps, x) = Recurrent.runStacked Gru.cell Recurrent.defaults (Some starts) ps x
            let y, last = run (starts, ps, x)
            let first, one = Recurrent.run Gru.cell Recurrent.defaults (Some starts[0]) ps[0] x
            let second, two = Recurrent.run Gru.cell Recurrent.defaults (Some starts[1]) ps[1] first
            expectClose 0.0 (Tensor.toFloats second) y "outputs"
            expectClose 0.0 (Tensor.toFloats one) last[0] "state of the first"
            expectClose 0.0 (Tensor.toFloats two) last[1] "state of the second"

            expectJudged
                (fun given ->
                    let y, last = run given
                    weigh y + weigh last[0])
                (starts, ps, x)
                "stack"

            let layer =
                RecurrentLayer.stacked
                    Gru.cell
                    { RecurrentLayer.defaults with Settings = settings; ReturnSequences = true }
                    [ 4; 2 ]

            Expect.equal (layer.OutputShape [| 5; 3 |]) [| 5; 2 |] "shape"
            Expect.equal (Layer.predict layer (layer.Initialize (Key.create 1L) [| 5; 3 |]) x).Shape [| 2; 3; 2 |] "y"

            expectRefused [ "1 initial states"; "2 cells" ] (fun () ->
                Recurrent.runStacked Gru.cell Recurrent.defaults (Some [ starts[0] ]) ps x)

        testCase "two directions: outputs, states, gradients, any cell"
        <| fun () ->
            let both (cell: Cell<'P, 'S>) (start: 'S) =
                let draw seed = cell.Initialize settings (Key.create seed) 3 4
                let p = { Forward = draw 1L; Backward = draw 2L }
                let x = numbers 1 [ 2; 3; 3 ]
                let mask = Tensor.create [ 2; 3 ] [| true; true; true; true; true; false |]
                let options = { Recurrent.defaults with Mask = Some mask }
                let starts = { Forward = start; Backward = Tree.map (fun t -> t * 0.5) start }

                let run (starts, p, x) =
                    let y, last = Recurrent.runBidirectional cell options (Some starts) p x
                    weigh y.Forward + weigh y.Backward + weigh (cell.Output last.Backward)

                expectJudged run (starts, p, x) $"bidirectional {cell.Name}"

                let y = Recurrent.bidirectional BidirectionalMerge.Concat cell Recurrent.defaults p x
                let forward = Recurrent.outputs cell Recurrent.defaults p.Forward x
                let backward = reverse [ 1 ] x |> Recurrent.outputs cell Recurrent.defaults p.Backward |> reverse [ 1 ]
                expectClose 1e-15 (Tensor.toFloats (concat -1 [ forward; backward ])) y "one way and the other"

            both SimpleRnn.cell (numbers 2 [ 2; 4 ])
            both Gru.cell (numbers 2 [ 2; 4 ])
            both Lstm.cell { Hidden = numbers 2 [ 2; 4 ]; Memory = numbers 3 [ 2; 4 ] }

        testCase "recurrent dropout drops the same units at every step, and nothing in answers"
        <| fun () ->
            let cell = SimpleRnn.cellWith id

            let p: SimpleRnn = {
                Kernel = Tensor.zeros [ 1; 6 ]
                RecurrentKernel = Tensor.eye DType.Float64 6
                Bias = None
            }

            let x, start = Tensor.zeros [ 8; 5; 1 ], Tensor.ones [ 8; 6 ]

            let run phase =
                let options = { Recurrent.defaults with RecurrentDropout = 0.5; Phase = phase }
                Recurrent.finish cell options (Some start) p x |> Tensor.toFloats

            let learning = run (Training(Key.create 1L))
            Expect.all learning (fun v -> v = 0.0 || v = 32.0) "dropped every time, or doubled every time"
            Expect.equal (Array.distinct learning).Length 2 "some are dropped, some are not"
            Expect.equal (run (Training(Key.create 1L))) learning "the same key"
            Expect.all (run Inference) ((=) 1.0) "answers"

            let options = {
                Recurrent.defaults with
                    Dropout = 0.3
                    RecurrentDropout = 0.3
                    Phase = Training(Key.create 2L)
            }

            let given = Lstm.cell.Initialize settings (Key.create 3L) 3 4, numbers 1 [ 2; 3; 3 ]
            expectJudged (fun (p, x) -> weigh (lstm options p x)) given "dropout"
            expectRefused [ "[0, 1)" ] (fun () -> lstm { options with RecurrentDropout = 1.0 } (fst given) (snd given))

        testCase "masking: padded steps become 0, and the layers behind it leave them out"
        <| fun () ->
            let x = Tensor.create [ 1; 3; 2 ] [| 1.0; 2.0; 9.0; 9.0; 9.0; 3.0 |]
            let y = Layer.predict (Layers.masking 9.0) () x
            expectClose 0.0 [ 1.0; 2.0; 0.0; 0.0; 9.0; 3.0 ] y "a step is padding where all its features are"
            let options = { RecurrentLayer.defaults with Settings = settings; Padding = Some 0.0 }
            let model = Layers.masking 9.0 --> RecurrentLayer.ofCell Lstm.cell options 4
            let p = model.Initialize (Key.create 1L) [| 3; 2 |]
            let without = concat 1 [ narrow 1 0 1 x; narrow 1 2 1 x ]
            let expected = Recurrent.last Lstm.cell Recurrent.defaults (snd p) without
            expectClose 1e-15 (Tensor.toFloats expected) (Layer.predict model p x) "left out"
            expectRefused [ "masking"; "[time, features]" ] (fun () -> (Layers.masking 0.0).OutputShape [| 3 |])

        testCase "time-distributed: the layer at every step"
        <| fun () ->
            let layer = Layers.timeDistributed (Layers.dense 2)
            let p = Dense.initWith { Dense.defaults with DType = DType.Float64 } (Key.create 1L) 3 2
            let x = numbers 1 [ 2; 4; 3 ]
            let expected = unstack 1 x |> Array.map (dense p) |> stack 1
            expectClose 1e-15 (Tensor.toFloats expected) (Layer.predict layer p x) "steps"
            Expect.equal (layer.OutputShape [| 4; 3 |]) [| 4; 2 |] "shape"
            expectJudged (fun (p, x) -> weigh (Layer.predict layer p x)) (p, x) "time-distributed"

        testCase "vmap over sequences is a loop over them"
        <| fun () ->
            let p = Gru.cell.Initialize settings (Key.create 3L) 3 4
            let x = numbers 1 [ 3; 2; 5; 3 ]
            let run x = Recurrent.outputs Gru.cell Recurrent.defaults p x
            let expected = unstack 0 x |> Array.map run |> stack 0
            expectClose 1e-14 (Tensor.toFloats expected) (vmap run x) "vmap"
            let each x = grad (fun p -> weigh (Recurrent.last Gru.cell Recurrent.defaults p x)) p
            let mapped = vmap each x
            let byHand = unstack 0 x |> Array.map (fun x -> (each x).Kernel) |> stack 0
            expectClose 1e-13 (Tensor.toFloats byHand) mapped.Kernel "a gradient for each"

        testCase "bad input is refused in the user's words"
        <| fun () ->
            let p = Lstm.cell.Initialize settings (Key.create 3L) 3 4
            let run mask shape () = lstm { Recurrent.defaults with Mask = mask } p (Tensor.full DType.Float64 shape 1.0)
            expectRefused [ "no steps" ] (run None [ 2; 0; 3 ])
            expectRefused [ "5 features"; "expects 3" ] (run None [ 2; 4; 5 ])
            expectRefused [ "mask"; "2×4" ] (run (Some(Tensor.create [ 2; 3 ] (Array.create 6 true))) [ 2; 4; 3 ])
    ]
