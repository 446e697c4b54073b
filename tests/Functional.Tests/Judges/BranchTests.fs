/// Random programs with branches, loops and scans, over integers, truth values and floats, under vmap: against the host's
/// own `if`, `while` and `for` over one example at a time. What an example does not compute there, an index outside its
/// table, the root of a matrix that has none, a loop without an end, must not be seen here, nor felt in a derivative.
module Functional.Tests.Judges.BranchTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open Functional
open Functional.Tests.Judges
open Functional.Tests.Judges.Samples
open Functional.Tests.Judges.Examples

/// The variables of a program, by number: a float, a vector of floats, an Int32, a vector of Int64, a truth value.
let private kinds = [|
    DType.Float64, [||]
    DType.Float64, [| 3 |]
    DType.Int32, [||]
    DType.Int64, [| 3 |]
    DType.Bool, [||]
|]

let private float', vector, int', wide, truth = 0, 1, 2, 3, 4

/// Control flow as it is written, with either the library's functions or the host's statements behind it.
type private Flow = {
    If: Tensor -> (Tensor[] -> Tensor[]) -> (Tensor[] -> Tensor[]) -> Tensor[] -> Tensor[]
    While: (Tensor[] -> Tensor) -> (Tensor[] -> Tensor[]) -> Tensor[] -> Tensor[]
    /// The carry after the places of a vector, and what was made at each.
    Each: (Tensor[] -> Tensor -> Tensor[] * Tensor) -> Tensor[] -> Tensor -> Tensor[] * Tensor
}

let private library = { If = cond; While = whileLoop; Each = scan }

let private host = {
    If = fun c f g v -> if Tensor.toBool (Tensor.detach c) then f v else g v
    While =
        fun condition body start ->
            let mutable v = start

            while Tensor.toBool (Tensor.detach (condition v)) do
                v <- body v

            v
    Each =
        fun body start xs ->
            let mutable carry = start
            let made = ResizeArray<Tensor>()

            for x in unstack 0 xs do
                let next, y = body carry x
                carry <- next
                made.Add y

            carry, stack 0 made
}

type private Expression =
    | Variable of int
    | Number of float
    | Of of string * Expression list

type private Statement =
    | Set of variable: int * Expression
    | Branch of Expression * Statement list * Statement list
    /// A few times, as long as a condition holds.
    | Repeat of times: Expression * Expression * Statement list
    /// Down to zero, in steps that do not get there from below: only where it is known to end.
    | CountDown of Statement list
    | Over of Statement list
    /// The root of a matrix of one number, which must be positive.
    | Root

let private int32 (value: int) = Tensor.create [] [| value |]
let private table = Tensor.ofSeq [ 0.5; -1.5; 2.0; 3.0 ]

let rec private value (dtype: DType) (v: Tensor[]) (e: Expression) : Tensor =
    let all es = es |> List.map (value dtype v)

    match e with
    | Variable i -> v[i]
    | Number x -> Tensor.scalarOf dtype x
    | Of("where", [ c; a; b ]) -> where (value DType.Bool v c) (value dtype v a) (value dtype v b)
    | Of("less", [ a; b ]) -> less (value DType.Float64 v a) (value DType.Float64 v b)
    | Of("lessI", [ a; b ]) -> less (value DType.Int32 v a) (value DType.Int32 v b)
    | Of("equalI", [ a; b ]) -> equal (value DType.Int32 v a) (value DType.Int32 v b)
    | Of("place", [ a ]) -> Functional.IndexFunctions.take 0 (value DType.Int32 v a) table
    | Of("float", [ a ]) -> cast DType.Float64 (value DType.Int32 v a)
    | Of("int", [ a ]) -> cast DType.Int32 (clamp -9.0 9.0 (value DType.Float64 v a))
    | Of("wide", [ a ]) -> cast DType.Int64 (value DType.Int32 v a)
    | Of("sum", [ a ]) -> sum (value DType.Float64 v a)
    | Of("total", [ a ]) -> cast DType.Int32 (sum (value DType.Int64 v a))
    | Of("argmax", [ a ]) -> argmax 0 (value DType.Float64 v a)
    | Of("running", [ a ]) -> cumsum 0 (value DType.Float64 v a)
    | Of(name, es) ->
        match name, all es with
        | "+", [ a; b ] -> a + b
        | "-", [ a; b ] -> a - b
        | "*", [ a; b ] -> a * b
        | "/", [ a; b ] -> a / b
        | "%", [ a; b ] -> a % b
        | "**", [ a; b ] -> a ** b
        | "and", [ a; b ] -> logicalAnd a b
        | "not", [ a ] -> logicalNot a
        | "log", [ a ] -> log a
        | "sqrt", [ a ] -> sqrt a
        | "tanh", [ a ] -> tanh a
        | other -> failwith $"%A{other}"

let rec private run (flow: Flow) (program: Statement list) (state: Tensor[]) : Tensor[] =
    let step (v: Tensor[]) statement =
        match statement with
        | Set(i, e) ->
            let dtype, shape = kinds[i]
            Array.updateAt i (broadcastTo shape (value dtype v e)) v
        | Branch(c, f, g) -> flow.If (value DType.Bool v c) (run flow f) (run flow g) v
        | Repeat(times, c, body) ->
            let count = minimum (maximum (value DType.Int32 v times) (int32 0)) (int32 3)
            let start = Array.append v [| count |]
            let state (w: Tensor[]) = Array.take v.Length w

            flow.While
                (fun w -> logicalAnd (greater (Array.last w) (int32 0)) (value DType.Bool (state w) c))
                (fun w -> Array.append (run flow body (state w)) [| Array.last w - int32 1 |])
                start
            |> state
        | CountDown body ->
            let start = Array.append v [| v[int'] |]
            let state (w: Tensor[]) = Array.take v.Length w

            flow.While
                (fun w -> notEqual (Array.last w) (int32 0))
                (fun w -> Array.append (run flow body (state w)) [| Array.last w - int32 2 |])
                start
            |> state
        | Over body ->
            let next (w: Tensor[]) (x: Tensor) =
                let w = run flow body (Array.updateAt float' (w[float'] * 0.5 + x) w)
                w, w[float']

            let carry, ys = flow.Each next v v[vector]
            Array.updateAt vector ys carry
        | Root ->
            let root = LinearAlgebra.cholesky (reshape [ 1; 1 ] v[float'])
            Array.updateAt float' (reshape [] root) v

    List.fold step state program

let rec private contains (test: Statement -> bool) (program: Statement list) =
    program
    |> List.exists (fun s ->
        test s
        || match s with
           | Branch(_, f, g) -> contains test f || contains test g
           | Repeat(_, _, body)
           | CountDown body
           | Over body -> contains test body
           | Set _
           | Root -> false)

// ---- drawing programs

let private choose options = Gen.elements options |> Gen.bind id

let rec private expression (i: int) (depth: int) : Gen<Expression> = gen { return! expressionNow i depth }

and private expressionNow i depth =
    let leaf = Gen.constant (Variable i)
    let number = Gen.choose (-3, 3) |> Gen.map (float >> Number)
    let of1 name a = expression a (depth - 1) |> Gen.map (fun a -> Of(name, [ a ]))
    let of2 name a b = Gen.map2 (fun a b -> Of(name, [ a; b ])) (expression a (depth - 1)) (expression b (depth - 1))

    let chosen =
        Gen.map3
            (fun c a b -> Of("where", [ c; a; b ]))
            (expression truth (depth - 1))
            (expression i (depth - 1))
            (expression i (depth - 1))

    if depth = 0 then
        if i = truth || i = vector || i = wide then leaf else Gen.oneof [ leaf; number ]
    elif i = float' then
        choose [
            leaf
            number
            of2 "+" float' float'
            of2 "-" float' float'
            of2 "*" float' float'
            of2 "/" float' float'
            of1 "log" float'
            of1 "sqrt" float'
            of1 "tanh" float'
            of1 "sum" vector
            of1 "float" int'
            chosen
        ]
    elif i = vector then
        choose [
            leaf
            of2 "+" vector float'
            of2 "*" vector float'
            of1 "running" vector
            of1 "tanh" vector
            chosen
        ]
    elif i = int' then
        choose [
            leaf
            number
            of2 "+" int' int'
            of2 "*" int' int'
            of2 "/" int' int'
            of2 "%" int' int'
            of2 "**" int' int'
            of1 "int" float'
            of1 "argmax" vector
            of1 "total" wide
            chosen
        ]
    elif i = wide then
        choose [ leaf; of2 "+" wide wide; of2 "/" wide wide; of2 "%" wide wide; of1 "wide" int'; chosen ]
    else
        choose [
            leaf
            of1 "not" truth
            of2 "and" truth truth
            of2 "less" float' float'
            of2 "lessI" int' int'
            of2 "equalI" int' int'
        ]

let private within low high =
    Of("and", [ Of("lessI", [ Number(low - 1.0); Variable int' ]); Of("lessI", [ Variable int'; Number high ]) ])

/// What fails or does not end, but where a branch sees to it.
let private guarded (program: Gen<Statement list>) =
    gen {
        let! rest = program
        let! body = program
        let place = [ Set(float', Of("place", [ Variable int' ])) ]
        let even = Of("equalI", [ Of("%", [ Variable int'; Number 2.0 ]); Number 0.0 ])

        return!
            Gen.elements [
                Branch(within 0.0 4.0, place, rest)
                Branch(Of("not", [ within 0.0 4.0 ]), rest, place)
                Branch(Of("less", [ Number 0.0; Variable float' ]), [ Root ], rest)
                Branch(Of("and", [ within 0.0 6.0; even ]), [ CountDown body ], rest)
                Repeat(Variable int', within 0.0 4.0, place @ rest)
            ]
    }

let rec private statements (depth: int) : Gen<Statement list> = gen { return! statementsNow depth }

and private statementsNow depth =
    let set =
        gen {
            let! i = Gen.choose (float', truth)
            let! e = expression i 2
            return Set(i, e)
        }

    let inner = statements (depth - 1)

    let statement =
        if depth = 0 then
            set
        else
            Gen.frequency [
                4, set
                2, Gen.map3 (fun c f g -> Branch(c, f, g)) (expression truth 2) inner inner
                1, Gen.map3 (fun n c body -> Repeat(n, c, body)) (expression int' 1) (expression truth 1) inner
                1, Gen.map Over inner
                3, guarded inner
            ]

    Gen.choose (1, 3) |> Gen.bind (fun n -> Gen.listOfLength n statement)

let private states (count: int) =
    let one =
        gen {
            let! f = Gen.elements [ -2.0; -0.5; 0.0; 0.25; 1.0; 3.0 ]
            let! v = Gen.arrayOfLength 3 (Gen.elements [ -1.0; 0.0; 0.5; 2.0 ])
            let! i = Gen.choose (-2, 5)
            let! j = Gen.arrayOfLength 3 (Gen.choose (-2, 3) |> Gen.map int64)
            let! b = Gen.elements [ true; false ]
            return [| scalar f; Tensor.ofSeq v; int32 i; Tensor.ofSeq j; Tensor.create [] [| b |] |]
        }

    Gen.arrayOfLength count one

type private Drawn = { Program: Statement list; States: Tensor[][]; Mapped: bool[] }

let private drawn =
    gen {
        let! program = statements 2
        let! size = Gen.choose (1, 4)
        let! states = states size

        let! mapped =
            Gen.arrayOfLength kinds.Length (Gen.frequency [ 3, Gen.constant true; 1, Gen.constant false ])

        let mapped = if Array.contains true mapped then mapped else Array.create kinds.Length true
        return { Program = program; States = states; Mapped = mapped }
    }

// ---- judging

let private check (d: Drawn) =
    let places = [|
        for i in 0 .. kinds.Length - 1 do
            if d.Mapped[i] then
                i
    |]

    let put (xs: Tensor[]) = Array.fold2 (fun all i x -> Array.updateAt i x all) d.States[0] places xs
    let example k = places |> Array.map (fun i -> d.States[k][i])
    let batch = places |> Array.map (fun i -> d.States |> Array.map (Array.item i) |> stack 0)
    let alone k = attempt (fun () -> run host d.Program (put (example k)))
    let examples = Array.init d.States.Length alone
    let f (xs: Tensor[]) = run library d.Program (put xs)
    let judge = judge 1e-9

    judge "vmap" examples (attempt (fun () -> vmap f batch))
    judge "vmap, compiled" examples (attempt (fun () -> compile (vmap f) batch))
    judge "vmap of compiled" examples (attempt (fun () -> vmap (compile f) batch))

    let floats (ys: Tensor[]) = ys |> Array.filter (fun y -> y.DType.IsFloat())
    let total (ys: Tensor[]) = floats ys |> Array.fold (fun s y -> s + sum y) (scalar 0.0)

    let along (xs: Tensor[]) =
        xs |> Array.map (fun x -> if x.DType.IsFloat() then Tensor.onesLike x else Tensor.zerosLike x)

    let tangent (g: Tensor[] -> Tensor[]) xs = attempt (fun () -> snd (jvp (g >> floats) xs (along xs)))
    let gradient (g: Tensor[] -> Tensor[]) xs = attempt (fun () -> grad (g >> total) xs |> floats)
    let each derivative flow = Array.init d.States.Length (fun k -> derivative (put >> run flow d.Program) (example k))

    /// A branch has all its results, also those that nobody looks at: where one example's derivative feels that (0·∞), it is
    /// not the batch's doing.
    let isSame (a: Outcome[]) (b: Outcome[]) =
        let finite outcome =
            match outcome with
            | Given ys -> ys |> Array.map (Tensor.toFloats >> Array.map Double.IsFinite)
            | Refused _ -> [||]

        Array.map finite a = Array.map finite b

    /// Where a derivative is infinite, an order of terms makes ∞ or ∞ − ∞ of it: either is no number.
    let orNone outcome =
        match outcome with
        | Given ys -> Given(ys |> Array.map (fun y -> where (isFinite y) y (Tensor.scalarOf y.DType nan)))
        | Refused _ -> outcome

    let judgeDerivative what derivative =
        let alone = each derivative host
        let staged = each (fun g -> derivative (compile g)) library

        if isSame alone staged then
            let alone = Array.map orNone alone
            judge what alone (orNone (derivative (vmap f) batch))
            judge (what + ", compiled") alone (orNone (derivative (compile (vmap f)) batch))

    judgeDerivative "tangent" tangent

    let isLoop =
        function
        | Repeat _
        | CountDown _ -> true
        | Set _
        | Branch _
        | Over _
        | Root -> false

    if not (contains isLoop d.Program) then
        judgeDerivative "gradient" gradient

[<Tests>]
let tests =
    testList "branches under vmap" [
        testCase "random programs are the host's"
        <| fun () ->
            for d in take (draws 150) drawn do
                try
                    check d
                with e ->
                    let states = d.States |> Array.map (Array.map string >> String.concat " ") |> String.concat "\n"
                    failtest $"%A{d.Program}\nmapped %A{d.Mapped}\n{states}\n{e.Message}\n{e.StackTrace}"
    ]
