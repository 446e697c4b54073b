/// Random programs of loops, branches and states whose wiring is drawn as freely as their arithmetic: what a loop carries may
/// be handed on, swapped, rotated, duplicated, replaced by what it closes over or by a constant; what it stacks may be a
/// carry, an input, the same twice; loops stand in loops and branches. A program is data, and is run by an algebra: on
/// tensors with the library's loops, on tensors with the host's, or on arrays of dual numbers that share nothing with it.
module Functional.Tests.Wiring

open System
open Functional

/// The values that a block sees are numbered: first those around it, then what it is given, then what its steps make.
type Step =
    | Unary of Function: string * int
    | Binary of Function: string * int * int
    | Constant of float
    | Scan of Loop
    | While of Repetition
    | Cond of Branch

and Block = { Steps: Step list; Results: int list }

and Loop = {
    /// From the front, from the end, or from the front in segments.
    Kind: string
    Length: int
    Start: int list
    /// For each stacked operand the value at every place.
    Xs: int list list
    /// Its first results are the next carry, the others are stacked.
    Body: Block
    /// For each stacked result the place that is taken; −1 for their mean, and zero where there are none.
    Picks: int list
}

/// Repeated while the first carry's mean is below a bound, so many times at most.
and Repetition = { Limit: int; Bound: float; First: int list; Again: Block }

/// By whether a value's mean is above a margin.
and Branch = { Condition: int; Operands: int list; WhenTrue: Block; WhenFalse: Block }

/// What the values are, and what the steps do with them.
type Algebra<'T> = {
    Unary: string -> 'T -> 'T
    Binary: string -> 'T -> 'T -> 'T
    Constant: float -> 'T
    Scan: Loop -> ('T[] -> 'T[] -> 'T[] * 'T[]) -> 'T[] -> 'T[][] -> 'T[]
    While: Repetition -> ('T[] -> 'T[]) -> 'T[] -> 'T[]
    Cond: 'T -> ('T[] -> 'T[]) -> ('T[] -> 'T[]) -> 'T[] -> 'T[]
}

/// How much larger the larger one is where one of two is chosen, or a mean decides: what is equal but for
/// rounding is no question.
[<Literal>]
let private margin = 0.0137

/// A block's results.
let rec run (a: Algebra<'T>) (around: 'T[]) (block: Block) : 'T[] =
    let values = ResizeArray around
    let at i = values[i]
    let all = List.map at >> Array.ofList

    for step in block.Steps do
        // what is inside sees what is there now
        let inside block given = run a (Array.append (values.ToArray()) given) block

        match step with
        | Unary(f, x) -> values.Add(a.Unary f (at x))
        | Binary(f, x, y) -> values.Add(a.Binary f (at x) (at y))
        | Constant c -> values.Add(a.Constant c)
        | Scan loop ->
            let seen = values.ToArray()

            let body carry xs = run a (Array.concat [ seen; carry; xs ]) loop.Body |> Array.splitAt loop.Start.Length

            values.AddRange(a.Scan loop body (all loop.Start) (loop.Xs |> List.map all |> Array.ofList))
        | While w ->
            let seen = values.ToArray()
            values.AddRange(a.While w (fun carry -> run a (Array.append seen carry) w.Again) (all w.First))
        | Cond c ->
            let seen = values.ToArray()
            let branch block given = run a (Array.append seen given) block
            values.AddRange(a.Cond (at c.Condition) (branch c.WhenTrue) (branch c.WhenFalse) (all c.Operands))

    all block.Results

/// The steps' loops as the host's, for any values.
let private hosted (add: 'T -> 'T -> 'T) (times: float -> 'T -> 'T) (zero: 'T) (mean: 'T -> float) (a: Algebra<'T>) = {
    a with
        Scan =
            fun loop body start xs ->
                let mutable carry = start
                let ys = Array.init loop.Length (fun _ -> [||])
                let places = [ 0 .. loop.Length - 1 ]

                for t in (if loop.Kind = "back" then List.rev places else places) do
                    let next, y = body carry (xs |> Array.map (fun x -> x[t]))
                    carry <- next
                    ys[t] <- y

                let picked =
                    loop.Picks
                    |> List.mapi (fun j place ->
                        if place >= 0 then
                            ys[place][j]
                        else
                            ys |> Array.fold (fun sum y -> add sum (times (1.0 / float loop.Length) y[j])) zero)

                Array.append carry (Array.ofList picked)
        While =
            fun w body start ->
                let mutable carry, left = start, w.Limit

                while left > 0 && mean carry[0] < w.Bound do
                    carry <- body carry
                    left <- left - 1

                carry
        Cond = fun c whenTrue whenFalse operands -> (if mean c > margin then whenTrue else whenFalse) operands
}

/// A matrix of numbers with their derivatives along one direction.
type Dual = { Values: float[]; Slopes: float[] }

/// An entry of the matrix that products take as their right factor.
let private weight columns i j = sin (float (3 * i + 7 * j + 1)) / float columns

/// Arrays of dual numbers, rows times columns, and the host's loops. No function makes its arguments larger, nor the
/// distance of two, so that rounding stays rounding through loops in loops.
let duals (rows: int) (columns: int) : Algebra<Dual> =
    let size = rows * columns

    let each f (x: Dual) = {
        Values = Array.map (fun v -> fst (f v)) x.Values
        Slopes = Array.map2 (fun v s -> s * snd (f v)) x.Values x.Slopes
    }

    let linear (f: float[] -> float[]) (x: Dual) = { Values = f x.Values; Slopes = f x.Slopes }
    let place f (x: float[]) = Array.init size (fun k -> f x (k / columns) (k % columns))

    let zip f (x: Dual) (y: Dual) = {
        Values = Array.map2 f x.Values y.Values
        Slopes = Array.map2 f x.Slopes y.Slopes
    }

    {
        Unary =
            fun name ->
                match name with
                | "sin" -> each (fun v -> sin v, cos v)
                | "tanh" -> each (fun v -> tanh v, 1.0 - tanh v * tanh v)
                | "half" -> each (fun v -> 0.5 * v, 0.5)
                | "neg" -> each (fun v -> -v, -1.0)
                | "view" -> id
                | "stop" -> fun x -> { x with Slopes = Array.zeroCreate size }
                | "rowmean" ->
                    linear (place (fun x i _ -> Seq.init columns (fun j -> x[i * columns + j]) |> Seq.average))
                | "colmean" -> linear (place (fun x _ j -> Seq.init rows (fun i -> x[i * columns + j]) |> Seq.average))
                | "roll" -> linear (place (fun x i j -> x[i * columns + (j + 1) % columns]))
                | "product" ->
                    linear (
                        place (fun x i j ->
                            Seq.init columns (fun k -> x[i * columns + k] * weight columns k j) |> Seq.sum)
                    )
                | other -> failwith other
        Binary =
            fun name x y ->
                match name with
                | "add" -> zip (fun p q -> 0.5 * (p + q)) x y
                | "sub" -> zip (fun p q -> 0.5 * (p - q)) x y
                | "mul" -> {
                    Values = Array.map2 (fun p q -> 0.5 * p * cos q) x.Values y.Values
                    Slopes =
                        Array.init size (fun k ->
                            0.5 * (x.Slopes[k] * cos y.Values[k] - x.Values[k] * sin y.Values[k] * y.Slopes[k]))
                  }
                | "select" ->
                    let pick (p: float[]) (q: float[]) =
                        Array.init size (fun k -> if x.Values[k] > y.Values[k] + margin then 0.5 * p[k] else q[k])

                    { Values = pick x.Values y.Values; Slopes = pick x.Slopes y.Slopes }
                | other -> failwith other
        Constant = fun c -> { Values = Array.create size c; Slopes = Array.zeroCreate size }
        Scan = fun _ _ _ _ -> [||]
        While = fun _ _ _ -> [||]
        Cond = fun _ _ _ _ -> [||]
    }
    |> hosted
        (zip (+))
        (fun k -> linear (Array.map (fun v -> k * v)))
        { Values = Array.zeroCreate size; Slopes = Array.zeroCreate size }
        (fun x -> Array.average x.Values)

/// Tensors, with the library's loops.
let tensors (rows: int) (columns: int) : Algebra<Tensor> =
    let shape = [ rows; columns ]

    let weights =
        Tensor.ofSeq [
            for i in 0 .. columns - 1 do
                for j in 0 .. columns - 1 -> weight columns i j
        ]
        |> reshape [ columns; columns ]

    {
        Unary =
            fun name x ->
                match name with
                | "sin" -> sin x
                | "tanh" -> tanh x
                | "half" -> 0.5 * x
                | "neg" -> -x
                | "view" -> x |> reshape [ columns; rows ] |> reshape shape
                | "stop" -> stopGradient x
                | "rowmean" -> meanKeep [ 1 ] x |> broadcastTo shape
                | "colmean" -> meanKeep [ 0 ] x |> broadcastTo shape
                | "roll" -> concat 1 [ narrow 1 1 (columns - 1) x; narrow 1 0 1 x ]
                | "product" -> x *@ weights
                | other -> failwith other
        Binary =
            fun name x y ->
                match name with
                | "add" -> 0.5 * (x + y)
                | "sub" -> 0.5 * (x - y)
                | "mul" -> 0.5 * x * cos y
                | "select" -> where (greater x (y + margin)) (0.5 * x) y
                | other -> failwith other
        Constant = Tensor.full DType.Float64 shape
        Scan =
            fun loop body start xs ->
                let stacked =
                    xs
                    |> Array.map (fun x -> if x.Length = 0 then Tensor.zeros (0 :: shape) else stack 0 (List.ofArray x))

                // a loop needs something to go along
                let along = Tensor.zeros [ loop.Length ]
                let body carry (xs, _: Tensor) = body carry xs

                let last, ys =
                    match loop.Kind with
                    | "back" -> scanBack body start (stacked, along)
                    | "checkpointed" -> scanCheckpointed body start (stacked, along)
                    | _ -> scan body start (stacked, along)

                let scale = 1.0 / float (max 1 loop.Length)

                let picked =
                    loop.Picks
                    |> List.mapi (fun j place ->
                        if place >= 0 then index 0 place ys[j] else scale * sumOver [ 0 ] ys[j])

                Array.append last (Array.ofList picked)
        While =
            fun w body start ->
                let goesOn (carry: Tensor[], left: Tensor) =
                    logicalAnd (greater left (scalar 0.0)) (less (mean carry[0]) (scalar w.Bound))

                whileLoop goesOn (fun (carry, left: Tensor) -> body carry, left - 1.0) (start, scalar (float w.Limit))
                |> fst
        Cond = fun c whenTrue whenFalse operands -> cond (greater (mean c) (scalar margin)) whenTrue whenFalse operands
    }

/// Tensors, with the host's loops: a program without control flow, for derivatives of any order. Conditions are looked at.
let unrolled (rows: int) (columns: int) : Algebra<Tensor> =
    tensors rows columns
    |> hosted (+) (fun k x -> k * x) (Tensor.zeros [ rows; columns ]) (fun x -> Tensor.toFloat (Tensor.detach (mean x)))

/// How a program is drawn.
type Options = { Whiles: bool; Columns: int; Longest: int }

let private draw (random: Random) (options: Options) =
    let functions = [
        "sin"
        "tanh"
        "half"
        "neg"
        "view"
        "stop"
        "rowmean"
        "colmean"
        "product"
        if options.Columns > 1 then
            "roll"
    ]

    let oneOf (items: 'a list) = items[random.Next items.Length]
    let several least most make = List.init (random.Next(least, most + 1)) (fun _ -> make ())

    /// A block that sees `around` values and is given some more.
    let rec block depth around given count : Block =
        let mutable seen = around + given
        let steps = ResizeArray<Step>()

        /// What it was given is drawn as often as all the rest.
        let value () =
            if given > 0 && random.Next 2 = 0 then
                around + random.Next given
            else
                random.Next seen

        for _ in 1 .. random.Next(0, 5) do
            let made, step = step depth seen value
            steps.Add step
            seen <- seen + made

        let result () =
            let own = seen - around - given

            if own > 0 && random.Next 2 = 0 then
                around + given + random.Next own
            else
                value ()

        {
            Steps = List.ofSeq steps
            Results = List.init (count ()) (fun _ -> result ())
        }

    and step depth seen value : int * Step =
        match random.Next(if depth > 0 then 8 else 5) with
        | 0
        | 1 -> 1, Unary(oneOf functions, value ())
        | 2
        | 3 -> 1, Binary(oneOf [ "add"; "sub"; "mul"; "select" ], value (), value ())
        | 4 -> 1, Constant(Math.Round(random.NextDouble() * 2.0 - 1.0, 2))
        | 5 ->
            let start = several 1 4 value
            let operands = several 1 2 value
            let results = random.Next(1, 4)

            results,
            Cond {
                Condition = value ()
                Operands = operands
                WhenTrue = block (depth - 1) seen operands.Length (fun () -> results)
                WhenFalse = block (depth - 1) seen operands.Length (fun () -> results)
            }
        | 6 when options.Whiles ->
            let first = several 1 4 value

            first.Length,
            While {
                Limit = random.Next 5
                Bound = oneOf [ 10.0; 10.0; 0.2137 ]
                First = first
                Again = block (depth - 1) seen first.Length (fun () -> first.Length)
            }
        | _ -> scan depth seen value

    and scan depth seen value =
        let length = if random.Next 6 = 0 then random.Next 2 else random.Next(2, options.Longest + 1)
        let start = several 1 4 value
        let xs = several 0 2 (fun () -> List.init length (fun _ -> value ()))
        let ys = random.Next 4

        start.Length + ys,
        Scan {
            Kind = oneOf [ "front"; "front"; "back"; "checkpointed" ]
            Length = length
            Start = start
            Xs = xs
            Body = block (depth - 1) seen (start.Length + xs.Length) (fun () -> start.Length + ys)
            Picks = List.init ys (fun _ -> if length = 0 || random.Next 2 = 0 then -1 else random.Next length)
        }

    block, scan

/// A program of some inputs and results, with a loop at least.
let program (options: Options) (inputs: int) (results: int) (random: Random) : Block =
    let block, scan = draw random options
    let before = block 2 0 inputs (fun () -> 0)

    let made step =
        match step with
        | Unary _
        | Binary _
        | Constant _ -> 1
        | Scan s -> s.Start.Length + s.Picks.Length
        | While w -> w.First.Length
        | Cond c -> c.WhenTrue.Results.Length

    let seen = inputs + List.sumBy made before.Steps
    let count, loop = scan 2 seen (fun () -> random.Next seen)
    let after = block 1 (seen + count) 0 (fun () -> results)

    let results =
        after.Results |> List.map (fun v -> if random.Next 2 = 0 then seen + random.Next count else v)

    { Steps = before.Steps @ [ loop ] @ after.Steps; Results = results }
