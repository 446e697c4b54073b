/// What rules of the user's own are held to, what checkpoint may close over, and trees that hold nothing to differentiate.
module Functional.Tests.Transformations.CustomRuleTests

open System
open Expecto
open Functional

let private message (action: unit -> 'T) : string =
    try
        failtest $"no error, but {action ()}"
    with
    | :? AssertException -> reraise ()
    | e -> e.Message

let private says (words: string list) action =
    let text = message action

    for word in words do
        Expect.stringContains text word "the error"

let private agree what (expected: Tensor) (found: Tensor) =
    Expect.sequenceEqual found.Shape expected.Shape $"{what}: shape"

    for a, b in Seq.zip (Tensor.toFloats expected) (Tensor.toFloats found) do
        Expect.floatClose { absolute = 1e-12; relative = 1e-12 } b a what

type private Layer = { Weights: Tensor; Bias: Tensor; Count: Tensor }
type private Settings = { Rate: float; Names: string list }
type private Mixed = { Scale: Tensor; Rate: float }

let private x = Tensor.ofSeq [ 1.0; 2.0; 3.0 ]
let private layer = { Weights = x; Bias = scalar 0.5; Count = Tensor.ofSeq [ 3 ] }

/// Each way in which a rule's cotangents or tangents are asked for.
let private ways (f: Tensor -> Tensor) : (string * (unit -> Tensor)) list = [
    "grad", (fun () -> grad (fun x -> sum (f x)) x)
    "compiled grad", (fun () -> compile (grad (fun x -> sum (f x))) x)
    "jvp", (fun () -> snd (jvp f x (Tensor.onesLike x)))
    "grad of vmap", (fun () -> grad (fun x -> sum (vmap f x)) (stack 0 [ x; x ]))
    "grad in vmap", (fun () -> vmap (grad (fun x -> sum (f x))) (stack 0 [ x; x ]))
    "grad of scan", (fun () -> grad (fun x -> sum (fst (scan (fun c (_: Tensor) -> f c, ()) x (Tensor.zeros [ 2 ])))) x)
]

let private wrongRules: (string * string list * (Tensor -> Tensor)) list = [
    "a cotangent that is a number",
    [ "wrong"; "cotangent"; "scalar"; "Float64 [3]" ],
    customReverse "wrong" (fun (x: Tensor) -> x, ()) (fun () ct -> sum ct)
    "a cotangent of another type",
    [ "wrong"; "cotangent"; "Float32 [3]"; "Float64 [3]" ],
    customReverse "wrong" (fun (x: Tensor) -> x, ()) (fun () ct -> cast DType.Float32 ct)
    "a cotangent with an axis more",
    [ "wrong"; "cotangent"; "2×3" ],
    customReverse "wrong" (fun (x: Tensor) -> x, ()) (fun () ct -> stack 0 [ ct; ct ])
    "a tangent that is a number",
    [ "wrong"; "tangent"; "scalar"; "Float64 [3]" ],
    customForward "wrong" (fun (x: Tensor) -> x * x) (fun _ _ dx -> sum dx)
    "a tangent of another type",
    [ "wrong"; "tangent"; "Float32 [3]" ],
    customForward "wrong" (fun (x: Tensor) -> x * x) (fun _ _ dx -> cast DType.Float32 dx)
]

/// Maps that are not linear, each with what the error says of it; the right derivative is 2x.
let private nonlinear: (string * (Tensor -> Tensor -> Tensor)) list = [
    "mul", (fun x dx -> 2.0 * x * dx + dx * dx)
    "abs", (fun x dx -> 2.0 * x * abs dx)
    "max", (fun x dx -> 2.0 * x * maximum dx (dx * 0.5))
    "div", (fun x dx -> x / dx)
    "greater", (fun x dx -> where (greater dx (scalar 0.0)) (2.0 * x * dx) dx)
    "at 0", (fun x dx -> 2.0 * x * dx + 1.0)
    "exp", (fun x dx -> x * (exp dx - 1.0))
]

let private checks = [
    for name, words, rule in wrongRules do
        testCase $"{name} is refused"
        <| fun () ->
            for way, ask in ways rule do
                try
                    says words ask
                with :? AssertException as e ->
                    failtest $"{way}: {e.Message}"

    testCase "of several tensors the error names the one"
    <| fun () ->
        let reverse =
            customReverse "rule" (fun l -> l.Weights * l.Bias, l) (fun l ct -> {
                l with
                    Weights = ct * l.Bias
                    Bias = ct * l.Weights
            })

        says [ "rule"; "Bias"; "scalar" ] (fun () -> grad (fun l -> sum (reverse l)) layer)

        let forward =
            customForward "rule" (fun x -> {| First = x; Second = sum x |}) (fun _ _ dx -> {|
                First = dx
                Second = dx
            |})

        says [ "rule"; "Second"; "scalar" ] (fun () -> grad (fun x -> (forward x).Second) x)

        let list = customForward "rule" (fun x -> [ x; x ]) (fun _ _ dx -> [ dx ])
        says [ "rule"; "1 tangent"; "2 tensors" ] (fun () -> grad (fun x -> sum (list x).Head) x)

    testCase "what stands in the place of integers is not looked at"
    <| fun () ->
        let reverse =
            customReverse "rule" (fun l -> l.Weights * l.Bias, l) (fun l ct -> {
                Weights = ct * l.Bias
                Bias = sum (ct * l.Weights)
                Count = scalar 9.0
            })

        for f in [ reverse; vmap (fun w -> reverse { layer with Weights = w }) << (fun l -> stack 0 [ l.Weights ]) ] do
            let g = grad (fun l -> sum (f l)) layer
            agree "weights" (Tensor.full DType.Float64 [ 3 ] 0.5) g.Weights
            Expect.equal g.Count.DType DType.Int32 "the integers' gradient"

    for word, map in nonlinear do
        testCase $"a map that is not linear is refused: {word}"
        <| fun () ->
            let forward = customForward "square" (fun x -> x * x) (fun x _ dx -> map x dx)
            says [ "square"; "tangent"; "linear"; word ] (fun () -> grad (fun x -> sum (forward x)) x)
            let reverse = customReverse "square" (fun x -> x * x, x) map
            says [ "square"; "cotangent"; "linear"; word ] (fun () -> jvp reverse x x)

    testCase "all that is linear passes"
    <| fun () ->
        let m = Tensor.create [ 3; 3 ] [| 2.0; 0.1; 0.2; 0.1; 3.0; 0.3; 0.2; 0.3; 4.0 |]

        let tangent (x: Tensor) (_: Tensor) (dx: Tensor) =
            let column = LinearAlgebra.solve m (reshape [ 3; 1 ] dx)
            let a = reshape [ 3 ] (m *@ column) * x + dx * x / 2.0 + 0.5 * (x * dx)
            let b = concat 0 [ narrow 0 0 2 a; narrow 0 2 1 a ] |> reverse [ 0 ] |> reverse [ 0 ]

            where (greater x (scalar 0.0)) (b - Tensor.zerosLike b) (-b)
            + 0.0 * cumsum 0 (take 0 (Tensor.ofSeq [ 2; 1; 0 ]) dx)
            + sum (0.0 * dx)

        let f = customForward "square" (fun x -> x * x) tangent
        agree "gradient" (2.0 * x) (grad (fun x -> sum (f x)) x)
        let r = customReverse "square" (fun x -> x * x, x) (fun x ct -> tangent x x ct)
        agree "tangent" (2.0 * x * x) (snd (jvp r x x))
]

// ---- checkpoint

let private closures = [
    testCase "checkpoint closes over parameters, as its documentation does"
    <| fun () ->
        let block (w: Tensor) (x: Tensor) = w * sin (x * w)
        let kept w x = sum (checkpoint (fun x -> block w x) x)
        let plain w x = sum (block w x)

        for way, transform in
            [
                "grad", (fun (f: Tensor -> Tensor -> Tensor) -> grad (fun w -> f w x) x)
                "traced argument", (fun f -> grad (fun w -> f w (w * x)) x)
                "Hessian", (fun f -> hessian (fun w -> f (w * w) (w * x)) x)
                "compiled", (fun f -> compile (grad (fun w -> f w x)) x)
                "of a compiled function", (fun f -> grad (compile (fun w -> f w x)) x)
                "jvp", (fun f -> snd (jvp (fun w -> f w x) x x))
                "vmap", (fun f -> vmap (grad (fun w -> f w x)) (stack 0 [ x; x * 0.3 ]))
                "of vmap", (fun f -> grad (fun w -> sum (vmap (f w) (stack 0 [ x; x * 0.3 ]))) x)
                "vmap, a constant argument",
                (fun f -> grad (fun w -> sum (vmap (fun w -> f w x) (stack 0 [ w; w * 0.3 ]))) x)
                "scan",
                (fun f ->
                    grad (fun w -> fst (scan (fun s x -> s + f (s * w) x, ()) (scalar 0.1) (stack 0 [ x; x * 0.3 ]))) x)
                "order 3", (fun f -> grad (fun w -> sum (grad (fun w -> sum (grad (fun w -> f w (w * x)) w * x)) w)) x)
            ] do
            agree way (transform plain) (transform kept)

    testCase "checkpoint may look at numbers, and then closes over nothing that is differentiated"
    <| fun () ->
        let f w (x: Tensor) = if Tensor.toFloat (Tensor.detach (sum x)) > 0.0 then x * w else x
        agree "gradient" x (grad (fun y -> sum (checkpoint (f x) y)) x)
        says [ "checkpoint"; "closes over"; "argument" ] (fun () -> grad (fun w -> sum (checkpoint (f w) (w * 2.0))) x)

    testCase "checkpoints in a batch have derivatives of every order"
    <| fun () ->
        let f (g: Tensor -> Tensor) x = sum (vmap g x)
        let g (x: Tensor) = sin (x * x)
        agree "Hessian" (hessian (f g) x) (hessian (f (checkpoint g)) x)
        agree "hvp" (hvp (f g) x x) (hvp (f (checkpoint g)) x x)
        let twice h = grad (fun x -> sum (x * grad (f h) x)) x
        agree "grad of grad" (twice g) (twice (checkpoint g))
        let mixed h = grad (fun x -> snd (jvp (f h) x (Tensor.onesLike x))) x
        agree "grad of jvp" (mixed g) (mixed (checkpoint g))

    testCase "a rule is used from many threads, and for arguments of several forms"
    <| fun () ->
        let rule =
            customReverse "sum" (fun (xs: Tensor list) -> List.reduce (+) xs, xs) (fun xs ct ->
                List.map (fun _ -> ct) xs)

        let f (xs: Tensor list) = sum (rule xs * rule (List.tail xs))

        Array.Parallel.init 64 (fun i ->
            let n = 2 + i % 3
            let gradient = grad f (List.replicate n x)
            gradient.Length = n && Tensor.toFloats gradient.Head = Tensor.toFloats (x * float (n - 1)))
        |> Array.forall id
        |> fun right -> Expect.isTrue right "every gradient"
]

// ---- trees

let private trees = [
    testCase "a tree without a tensor is refused, by its type, with what to write instead"
    <| fun () ->
        let list (xs: float list) = scalar (List.sum xs)

        for words, action in
            [
                [ "grad"; "float,"; "scalar 3.0" ], (fun () -> grad (fun (x: float) -> scalar (x * x)) 3.0 |> ignore)
                [ "grad"; "float list"; "Tensor.ofSeq" ], (fun () -> grad list [ 3.0; 4.0 ] |> ignore)
                [ "grad"; "Settings" ],
                (fun () -> grad (fun (p: Settings) -> scalar p.Rate) { Rate = 1.0; Names = [ "a" ] } |> ignore)
                [ "grad"; "float * float" ],
                (fun () -> valueAndGrad (fun (a, b) -> scalar (a * b)) (1.0, 2.0) |> ignore)
                [ "jvp"; "float[]" ], (fun () -> jvp (fun (x: float[]) -> scalar x[0]) [| 1.0 |] [| 1.0 |] |> ignore)
                [ "vjp"; "float" ], (fun () -> vjp (fun (x: float) -> scalar x) 1.0 |> ignore)
                [ "jacobian"; "float" ], (fun () -> jacobian (fun (x: float) -> scalar x) 1.0 |> ignore)
                [ "jacobian"; "float" ], (fun () -> jacobianForward (fun (x: float) -> scalar x) 1.0 |> ignore)
                [ "hessian"; "float" ], (fun () -> hessian (fun (x: float) -> scalar x) 1.0 |> ignore)
                [ "Check.gradient"; "float" ], (fun () -> Check.gradient (fun (x: float) -> scalar x) 1.0 |> ignore)
                [ "grad"; "Int32"; "cast" ],
                (fun () -> grad (fun (x: Tensor) -> sum x) (Tensor.ofSeq [ 1; 2 ]) |> ignore)
                [ "jacobian"; "Int32" ], (fun () -> jacobianForward id (Tensor.ofSeq [ 1; 2 ]) |> ignore)
            ] do
            says words action

    testCase "settings beside tensors come back as they are"
    <| fun () ->
        let g = grad (fun p -> p.Scale * p.Rate) { Scale = scalar 2.0; Rate = 3.0 }
        agree "gradient" (scalar 3.0) g.Scale
        Expect.equal g.Rate 3.0 "the setting"
]

[<Tests>]
let tests =
    testList "custom rules" [ testList "checks" checks; testList "closures" closures; testList "trees" trees ]
