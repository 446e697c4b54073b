/// Compiled is eager: for every transformation around and inside, for control flow, and for random programs.
module Functional.Tests.CompileTests

open System
open Expecto
open Functional
open Functional.Tests.Programs

let private same name tolerance eager compiled =
    test name { Expect.isLessThanOrEqual (distance (eager ()) (compiled ())) tolerance "compiled and eager" }

let private exact name eager compiled = same name 0.0 eager compiled
let private close name eager compiled = same name 1e-13 eager compiled

let private point = cell, start, sequence
let private direction = Tree.map (fun (t: Tensor) -> normal 20 (List.ofArray t.Shape)) point
let private many = normal 21 [ 3; 6; 2; 3 ]

[<Tests>]
let nesting =
    testList "compile nests" [
        exact "a value" (fun () -> scanned point) (fun () -> compile scanned point)
        close "scan is the host loop" (fun () -> grad unrolled point) (fun () -> compile (grad scanned) point)
        exact "compile (grad f)" (fun () -> grad scanned point) (fun () -> compile (grad scanned) point)
        exact "grad (compile f)" (fun () -> grad scanned point) (fun () -> grad (compile scanned) point)
        exact "compile (grad (compile f))" (fun () -> grad scanned point) (fun () ->
            compile (grad (compile scanned)) point)
        close "compile hvp" (fun () -> hvp scanned point direction) (fun () ->
            compile (fun (p, v) -> hvp scanned p v) (point, direction))
        close "hvp of compiled" (fun () -> hvp scanned point direction) (fun () ->
            hvp (compile scanned) point direction)
        exact "vmap (grad (compile f))" (fun () -> vmap (fun xs -> grad scanned (cell, start, xs)) many) (fun () ->
            vmap (fun xs -> grad (compile scanned) (cell, start, xs)) many)
        exact "compile (vmap (grad f))" (fun () -> vmap (fun xs -> grad scanned (cell, start, xs)) many) (fun () ->
            compile (vmap (fun xs -> grad scanned (cell, start, xs))) many)
        // whole segments, a shorter one at the end, one, and one for each step
        for segments in [ 1; 2; 3; 4; 6; 9 ] do
            let name what = $"{what} of a scan in {segments} segments"
            exact (name "the value") (fun () -> scanned point) (fun () -> segmented segments point)
            close (name "the gradient") (fun () -> grad scanned point) (fun () -> grad (segmented segments) point)

            close (name "the compiled gradient") (fun () -> grad scanned point) (fun () ->
                compile (grad (segmented segments)) point)

        close "the tangent of a scan in segments" (fun () -> jvp scanned point direction) (fun () ->
            jvp (segmented 4) point direction)
        close "second derivatives of a scan in segments" (fun () -> hvp scanned point direction) (fun () ->
            hvp (segmented 4) point direction)
        close "compiled second derivatives of a scan in segments" (fun () -> hvp scanned point direction) (fun () ->
            compile (fun (p, v) -> hvp (segmented 2) p v) (point, direction))
        close "a batch of scans in segments" (fun () -> vmap (fun xs -> grad scanned (cell, start, xs)) many) (fun () ->
            vmap (fun xs -> grad (segmented 4) (cell, start, xs)) many)
        test "a scan in segments keeps little for the reverse pass" {
            let inputs length = (cell, start), normal 60 [ length; 2; 3 ]

            let gradient f =
                fun (p, xs) -> grad (fun (c, h) -> sum (square (fst (f (fun h x -> fst (step c h x), ()) h xs)))) p

            let bytes f length =
                let c = compiled (gradient f)
                c.Prepare(inputs length)
                float c.Programs[0].Runner.Plan.Bytes

            let plain body h xs = scan body h xs
            let inSegments body h xs = scanCheckpointed body h xs
            let gradient f = compile (gradient f) (inputs 900)
            Expect.isLessThan (distance (gradient plain) (gradient inSegments)) 1e-12 "the same gradient"
            let less, more = bytes inSegments 900, bytes plain 900
            Expect.isLessThan less (0.3 * more) $"bytes in segments: {less}, plain: {more}"
            let grown f sofar = bytes f 3600 - sofar
            let added, addedPlain = grown inSegments less, grown plain more

            Expect.isLessThan
                added
                (0.15 * addedPlain)
                $"bytes added by four times the length: {added}, plain: {addedPlain}"
        }
        test "checkpoint computes again when compiled, too" {
            let w, x = 0.1 * normal 62 [ 32; 32 ], normal 63 [ 64; 32 ]
            let layers n (x: Tensor) = List.fold (fun (x: Tensor) _ -> tanh (x *@ w)) x [ 1..n ]
            let plain x = sum (square (layers 16 x))
            let kept x = List.fold (fun x _ -> checkpoint (layers 4) x) x [ 1..4 ] |> square |> sum

            let compile f =
                let c = compiled (grad f)
                c.Invoke x, c.Programs[0].Runner.Plan.Bytes

            let (a, more), (b, less) = compile plain, compile kept
            Expect.isLessThan (distance a b) 1e-12 "the same gradient"
            Expect.isLessThan (distance a (grad kept x)) 1e-12 "as the eager one"
            Expect.isLessThan (float less) (0.6 * float more) $"bytes with checkpoints: {less}, without: {more}"
        }
        test "a scan in segments over integers, with a carry that is none" {
            let f scan (table: Tensor) (places: Tensor) =
                let (_, total), _ =
                    scan
                        (fun (n: Tensor, s: Tensor) (p: Tensor) ->
                            (n + 1.0,
                             s + sum (square (index 0 0 (take 0 (reshape [ 1 ] p) table))) * cast DType.Float64 n),
                            ())
                        (Tensor.create [] [| 1 |], scalar 0.0)
                        places

                total

            let table, places = normal 61 [ 4; 3 ], Tensor.ofSeq [ 3; 1; 1; 0; 2 ]
            let plain = grad (fun t -> f scan t places) table
            Expect.isLessThan (distance plain (grad (fun t -> f scanCheckpointed t places) table)) 1e-13 "gradient"
        }
        test "segments that make no sense" {
            Expect.throwsT<ArgumentException>
                (fun () -> scanCheckpointedWith 0 (fun s x -> s + x, ()) (scalar 0.0) (Tensor.ones [ 3 ]) |> ignore)
                "none"
        }
        close "the Hessian" (fun () -> hessian (loss batch) net) (fun () -> compile (hessian (loss batch)) net)
        exact "random numbers" (fun () -> Random.normal DType.Float32 [ 7; 5 ] (Key.create 3L)) (fun () ->
            compile (Random.normal DType.Float32 [ 7; 5 ]) (Key.create 3L))
        close
            "linear algebra"
            (fun () ->
                grad
                    (fun a -> LinearAlgebra.logDeterminant (a *@ transpose a + Tensor.eye DType.Float64 4))
                    (normal 30 [ 4; 4 ]))
            (fun () ->
                compile
                    (grad (fun a -> LinearAlgebra.logDeterminant (a *@ transpose a + Tensor.eye DType.Float64 4)))
                    (normal 30 [ 4; 4 ]))
        exact
            "a rule of the user's own"
            (fun () ->
                grad
                    (fun x ->
                        sum (customForward "cube" (fun (x: Tensor) -> x * x * x) (fun x _ t -> 3.0 * x * x * t) x))
                    start)
            (fun () ->
                compile
                    (grad (fun x ->
                        sum (customForward "cube" (fun (x: Tensor) -> x * x * x) (fun x _ t -> 3.0 * x * x * t) x)))
                    start)
        exact "a tree with settings" (fun () -> predict net (fst batch)) (fun () ->
            compile (fun net -> predict net (fst batch)) net)
        exact "an argument returned" (fun () -> start) (fun () -> compile id start)
        exact "a constant returned" (fun () -> start) (fun () -> compile (fun (_: Tensor) -> start) sequence)
        exact "the same result twice" (fun () -> [ sin start; sin start ]) (fun () ->
            compile (fun x -> [ sin x; sin x ]) start)
    ]

let private doubled (x: Tensor) = whileLoop (fun (x: Tensor) -> less (norm x) (scalar 100.0)) (fun x -> x * 2.0) x

let private bent x = cond (less x (scalar 0.0)) (fun x -> -x) (fun x -> x * x) x

[<Tests>]
let control =
    testList "compiled control flow" [
        exact "whileLoop" (fun () -> doubled (Tensor.ofSeq [ 1.0; 2.0 ])) (fun () ->
            compile doubled (Tensor.ofSeq [ 1.0; 2.0 ]))
        exact "whileLoop, batched" (fun () -> vmap doubled (Tensor.ofRows [ [ 1.0; 2.0 ]; [ 30.0; 40.0 ] ])) (fun () ->
            compile (vmap doubled) (Tensor.ofRows [ [ 1.0; 2.0 ]; [ 30.0; 40.0 ] ]))
        for x in [ -2.0; 3.0 ] do
            exact $"cond at {x}" (fun () -> bent (scalar x)) (fun () -> compile bent (scalar x))
            exact $"gradient of cond at {x}" (fun () -> grad bent (scalar x)) (fun () -> compile (grad bent) (scalar x))

            exact $"gradient of compiled cond at {x}" (fun () -> grad bent (scalar x)) (fun () ->
                grad (compile bent) (scalar x))
        exact "cond, batched" (fun () -> Tensor.ofSeq [ 2.0; 9.0 ]) (fun () ->
            compile (vmap bent) (Tensor.ofSeq [ -2.0; 3.0 ]))
        test "whileLoop in reverse mode says what would do" {
            let message =
                try
                    grad (fun x -> sum (doubled x)) (Tensor.ofSeq [ 1.0; 2.0 ]) |> ignore
                    ""
                with e ->
                    e.Message

            Expect.stringContains message "scan" "the way out"
        }
        test "a host branch on a traced value names the line of thought to take" {
            let message =
                try
                    compile (fun x -> if Tensor.toFloat (Tensor.detach x) > 0.0 then x else -x) (scalar 1.0) |> ignore
                    ""
                with e ->
                    e.Message

            for word in [ "where"; "cond"; "whileLoop"; "scan"; "Tensor.detach"; "an argument (Float64" ] do
                Expect.stringContains message word "the way out"
        }
        test "and the operation and the line where the value was asked for" {
            let looking (x: Tensor) = if Tensor.toFloat (Tensor.detach (sum (exp x))) > 0.0 then x else -x

            let wrong: (string * (unit -> unit)) list = [
                "sum", (fun () -> compile looking start |> ignore)
                "sum", (fun () -> compile (grad (looking >> sum)) start |> ignore)
                "exp", (fun () -> compile (fun (x: Tensor) -> x * (Tensor.toFloats (exp x))[0]) start |> ignore)
                "exp",
                (fun () -> compile (grad (fun (x: Tensor) -> sum (x * (Tensor.toFloats (exp x))[0]))) start |> ignore)
            ]

            for operation, run in wrong do
                let message =
                    try
                        run ()
                        ""
                    with :? InvalidOperationException as e ->
                        e.Message

                for word in [ $"the result of {operation}"; "CompileTests.fs, line"; "whileLoop" ] do
                    Expect.stringContains message word "the operation and the line"
        }
        test "under vmap the line, too" {
            let message =
                try
                    vmap (fun (x: Tensor) -> if Tensor.toFloat x > 0.0 then x else -x) (Tensor.ofSeq [ 1.0; -1.0 ])
                    |> ignore

                    ""
                with :? InvalidOperationException as e ->
                    e.Message

            for word in [ "vmap"; "2 examples"; "where"; "CompileTests.fs, line" ] do
                Expect.stringContains message word "the line"
        }
    ]

[<Tests>]
let random =
    testList "random programs" [
        for seed in 1..60 do
            let input = normal (1000 + seed) [ 4; 4 ], normal (2000 + seed) [ 4; 4 ]

            let program = randomProgram DType.Float64 seed

            close $"program {seed}, value and gradient" (fun () -> valueAndGrad program input) (fun () ->
                compile (valueAndGrad program) input)

            let single = randomProgram DType.Float32 seed
            let rounded = Tree.map (cast DType.Float32) input

            same $"program {seed}, value and gradient, Float32" 1e-6 (fun () -> valueAndGrad single rounded) (fun () ->
                compile (valueAndGrad single) rounded)
    ]

[<Tests>]
let traces =
    testList "traces" [
        test "one for each kind of argument, and no more" {
            let c = compiled (fun (x: Tensor) -> sum (x * x))

            for n in [ 3; 3; 4; 3; 4 ] do
                c.Invoke(Tensor.ones [ n ]) |> ignore

            Expect.equal c.Traces.Length 2 "two shapes"
        }
        test "a setting is part of the kind" {
            let c = compiled (fun (net: Net) -> if net.Name = "small" then sum net.Output.Bias else scalar 0.0)
            let a = c.Invoke net
            let b = c.Invoke { net with Name = "other" }
            Expect.equal c.Traces.Length 2 "two settings"
            Expect.isGreaterThan (abs (Tensor.toFloat a - Tensor.toFloat b)) 0.0 "each has its own program"
        }
        test "equal work is done once" {
            let c = compiled (fun (x: Tensor) -> exp (x * x) + exp (x * x))
            c.Invoke start |> ignore
            let simplified = (Seq.head c.Programs).Simplified
            Expect.equal simplified.Instructions.Length 3 "multiply, exp, add"
        }
        test "an elementwise run is one kernel" {
            let c = compiled (fun (x: Tensor) -> sigmoid (sin x * 2.0 + 1.0) - x)
            c.Invoke start |> ignore
            Expect.equal (Seq.head c.Programs).Runner.Plan.Steps.Length 1 "one pass over memory"
        }
        test "Explain tells causes, kernels and bytes" {
            let c = compiled (loss batch)
            c.Invoke net |> ignore
            let text = c.Explain()

            for word in [ "1 trace"; "first call"; "Hidden.Weights: Float64 3×8"; "affine"; "kernels"; "arena" ] do
                Expect.stringContains text word "in the explanation"

            Expect.stringContains (Seq.head (c.Mermaid())) "flowchart" "a diagram"
        }
        test "a retrace says which part of the argument is to blame, by its path" {
            let c = compiled (fun (net: Net, x: Tensor) -> predict net x)
            let x = normal 50 [ 5; 3 ]
            c.Invoke(net, x) |> ignore
            c.Invoke(net, x[..2, *]) |> ignore
            c.Invoke({ net with Name = "other" }, x[..2, *]) |> ignore
            c.Invoke(Tree.map (cast DType.Float32) net, cast DType.Float32 x) |> ignore
            Expect.stringStarts c.Traces[0] "first call: " "the first"
            Expect.stringStarts c.Traces[1] "Item2 is Float64 3×3, was Float64 5×3: " "a shape"
            Expect.stringStarts c.Traces[2] "Item1.Name is \"other\", was \"small\": " "a setting"

            Expect.stringStarts
                c.Traces[3]
                "Item1.Hidden.Weights is Float32 3×8, was Float64 3×8; Item1.Hidden.Bias is Float32 [8], was Float64 [8]; "
                "types"

            for trace in c.Traces do
                Expect.stringContains (c.Explain()) (trace.Split(": ")[0]) "it is in the explanation"
        }
        test "lists that grow, options and cases that change are causes, too" {
            let c =
                compiled (fun (xs: Tensor list, bias: Tensor option) ->
                    List.reduce (+) xs + Option.defaultValue (scalar 0.0) bias)

            let x = Tensor.ones [ 2 ]
            c.Invoke([ x ], None) |> ignore
            c.Invoke([ x; x ], None) |> ignore
            c.Invoke([ x; x ], Some x) |> ignore

            Expect.stringStarts
                c.Traces[1]
                "Item1 is 2 items, was 1 items; Item1[1] is new: Float64 [2]"
                "a longer list"

            Expect.stringStarts c.Traces[2] "Item2 is Float64 [2], was None" "an option"
        }
        test "what closes over a tensor that is transformed is told once, with how often" {
            let c = compiled (fun (y: Tensor) -> y)
            let inner = ref c

            let f (x: Tensor) =
                inner.Value <- compiled (fun (y: Tensor) -> x * y)
                let first = inner.Value.Invoke(scalar 2.0)
                first + inner.Value.Invoke(scalar 3.0)

            Expect.equal (Tensor.toFloat (grad f (scalar 1.0))) 5.0 "the derivative flows"
            Expect.equal inner.Value.Traces.Length 1 "one line"
            Expect.stringContains (inner.Value.Explain()) "closes over a tensor of grad" "the cause"
            Expect.stringContains (inner.Value.Explain()) "(2 times)" "how often"
        }
        testSequenced (
            test "a large constant is reported once, and listed" {
                let large = Random.normal DType.Float32 [ 600; 500 ] (Key.create 1L)
                let before = Console.Error
                use said = new IO.StringWriter()
                Console.SetError said

                let c = compiled (fun (x: Tensor) -> x *@ large)

                try
                    c.Invoke(Tensor.full DType.Float32 [ 2; 600 ] 1.0) |> ignore
                    c.Invoke(Tensor.full DType.Float32 [ 3; 600 ] 1.0) |> ignore
                    // what is small, or made of one number, is not worth a word
                    compile (fun (x: Tensor) -> x + Tensor.full DType.Float32 [ 600; 500 ] 1.0) large |> ignore
                    compile (fun x -> x + start) start |> ignore
                finally
                    Console.SetError before

                let lines = (string said).Split('\n', StringSplitOptions.RemoveEmptyEntries)
                Expect.equal lines.Length 1 "one line for two traces"

                for word in [ "warning: compile"; "Float32 600×500 (1.1 MB)"; "argument" ] do
                    Expect.stringContains lines[0] word "what it is"

                Expect.stringContains (c.Explain()) "holds Float32 600×500" "it is in the explanation"
            }
        )
        test "the trace of a scan does not grow with its length" {
            let instructions length =
                let c = compiled (grad scanned)
                c.Invoke(cell, start, normal 40 [ length; 2; 3 ]) |> ignore
                (Seq.head c.Programs).Simplified.Instructions.Length

            Expect.equal (instructions 50) (instructions 5) "operations"
        }
        test "programs run from several threads at once" {
            let f = compile (grad scanned)
            let expected = f point

            System.Threading.Tasks.Parallel.For(
                0,
                200,
                fun _ ->
                    if distance expected (f point) > 0.0 then
                        failwith "a thread saw another's numbers"
            )
            |> ignore
        }
    ]

/// Bytes that 1,000 steps allocate on this thread, once the just-in-time compiler is done.
let private allocated (stepper: Stepper<_, _, _>) batch =
    for _ in 1..200 do
        stepper.Step batch

    let before = GC.GetAllocatedBytesForCurrentThread()

    for _ in 1..1000 do
        stepper.Step batch

    GC.GetAllocatedBytesForCurrentThread() - before

[<Tests>]
let steppers =
    testList "Stepper" [
        test "is the eager loop, bit for bit" {
            use stepper = new Stepper<_, _, _>(descend, net)
            let mutable eager = net

            for _ in 1..20 do
                eager <- fst (descend eager batch)
                stepper.Step batch

            Expect.equal (distance eager (stepper.Snapshot())) 0.0 "state"

            Expect.equal
                (distance
                    (snd (descend eager batch))
                    (stepper.Step batch
                     stepper.Result))
                0.0
                "result"
        }
        test "allocates nothing" {
            use stepper = new Stepper<_, _, _>(descend, net)
            Toys.withoutShadow (fun () -> stepper.Step batch)
            Expect.equal (allocated stepper batch) 0L "bytes in 1,000 steps"
        }
        test "a snapshot stays what it was" {
            use stepper = new Stepper<_, _, _>(descend, net)
            stepper.Step batch
            let first = stepper.Snapshot()
            let copy = Tree.map (fun t -> Tensor.create t.Shape (Tensor.toFloats t)) first
            let result = stepper.Result
            let number = Tensor.toFloat result

            for _ in 1..10 do
                stepper.Step batch

            Expect.equal (distance first copy) 0.0 "snapshot"
            Expect.equal (Tensor.toFloat result) number "result"
        }
        test "a smaller batch gets a plan of its own, once" {
            use stepper = new Stepper<_, _, _>(descend, net)
            let x, y = batch
            let small = x[..2, *], y[..2, *]

            for _ in 1..4 do
                stepper.Step batch
                stepper.Step small

            Expect.equal stepper.Plans.Length 2 "plans"
        }
        test "settings in a batch belong to its kind" {
            use stepper =
                new Stepper<_, _, _>((fun (w: Tensor) (x: Tensor, sign: int) -> w + float sign * x, w), scalar 0.0)

            for sign in [ 1; 1; -1; 1; 3 ] do
                stepper.Step(scalar 2.0, sign)

            Expect.equal (Tensor.toFloat (stepper.Snapshot())) 10.0 "each with its own sign"
            Expect.equal stepper.Traces.Length 3 "three signs"
            Expect.stringStarts stepper.Traces[1] "Item2 is -1, was 1" "the cause"
        }
        test "a step that fails leaves the state as it was, and has no result" {
            let step (table: Tensor, total: Tensor) (places: Tensor) =
                let next = table * 0.5 + 1.0, total + sum (take 0 places table)
                next, sum (snd next)

            let start = Tensor.arange 0.0 4000.0 1.0, scalar 0.0
            use stepper = new Stepper<_, _, _>(step, start)
            stepper.Step(Tensor.ofSeq [ 1; 2 ])
            let before = stepper.Snapshot()
            Expect.throws (fun () -> stepper.Step(Tensor.ofSeq [ 1; 4000 ])) "an index out of range"
            Expect.equal (distance before (stepper.Snapshot())) 0.0 "the state"
            Expect.throwsT<InvalidOperationException> (fun () -> stepper.Result |> ignore) "no result"
            stepper.Step(Tensor.ofSeq [ 1; 2 ])
            let expected = before |> fun state -> fst (step state (Tensor.ofSeq [ 1; 2 ]))
            Expect.equal (distance expected (stepper.Snapshot())) 0.0 "it goes on"
        }
        test "a state of other shapes is refused by its path" {
            use stepper =
                new Stepper<_, _, _>(
                    (fun (a: Tensor, b: Tensor) (x: Tensor) -> (a, b + x), sum x),
                    (scalar 1.0, scalar 2.0)
                )

            let message (work: unit -> unit) =
                try
                    work ()
                    ""
                with :? ArgumentException as e ->
                    e.Message

            let grown = message (fun () -> stepper.Step(Tensor.ones [ 3 ]))

            for word in [ "Item2"; "Float64 [3]"; "must stay" ] do
                Expect.stringContains grown word "the step's state"

            Expect.stringContains
                (message (fun () -> stepper.Restore(scalar 1.0, Tensor.ones [ 2 ])))
                "Item2"
                "restored"

            stepper.Step(scalar 1.0)
            stepper.Restore(scalar 5.0, scalar 6.0)
            Expect.equal (Tensor.toFloat (snd (stepper.Snapshot()))) 6.0 "a good one"
        }
        test "explains itself: causes, what is written in place, what is not fused and why" {
            use stepper = new Stepper<_, _, _>(descend, net)
            stepper.Step batch
            stepper.Step((fst batch)[..2, *], (snd batch)[..2, *])
            let text = stepper.Explain()

            for word in
                [
                    "stepper, 2 traces"
                    "Item1 is Float64 3×3, was Float64 5×3"
                    "input Hidden.Weights"
                    "not fused"
                    "made by no elementwise operation"
                    "the state is written in place"
                    "alive at once"
                ] do
                Expect.stringContains text word "in the explanation"

            Expect.stringContains (stepper.Mermaid()[0]) "Hidden.Weights" "in the diagram"
        }
        test "parameters that change places" {
            use stepper =
                new Stepper<_, _, _>(
                    (fun (a: Tensor, b: Tensor) (x: Tensor) -> (b, a), sum x),
                    (scalar 1.0, scalar 2.0)
                )

            stepper.Step(scalar 0.0)
            let a, b = stepper.Snapshot()
            Expect.equal (Tensor.toFloat a, Tensor.toFloat b) (2.0, 1.0) "exchanged"
        }
        test "disposed, it says so" {
            let stepper = new Stepper<_, _, _>(descend, net)
            (stepper :> IDisposable).Dispose()
            Expect.throwsT<ObjectDisposedException> (fun () -> stepper.Step batch) "step"
            Expect.throwsT<ObjectDisposedException> (fun () -> stepper.Snapshot() |> ignore) "snapshot"
        }
    ]

/// A hundred rounds of operations on single numbers.
let private tangle (x: Tensor, y: Tensor) =
    let mutable a, b = x, y

    for _ in 1..100 do
        let c = where (less a b) (a * b) (a - 0.5 * b)
        a <- sin c + 0.1 * x
        b <- sigmoid (b - a) + reciprocal (y + square c + 1.0)

    a + maximum b x

[<Tests>]
let scalars =
    testList "scalar programs" [
        for dtype, tolerance in [ DType.Float64, 1e-13; DType.Float32, 1e-5 ] do
            let point = Tensor.scalarOf dtype 0.3, Tensor.scalarOf dtype 0.7

            same $"many operations on single numbers, {dtype}" tolerance (fun () -> grad tangle point) (fun () ->
                compile (grad tangle) point)
    ]
