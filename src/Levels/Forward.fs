namespace Functional.Levels

// Forward mode: a tangent beside each primal.

open System.Runtime.CompilerServices
open Functional
open Functional.Operations
open Functional.Tracing
open Functional.Rules

/// A value and its tangent.
[<Sealed>]
type Dual(level: Level, primal: Tensor, tangent: Tensor) =
    inherit Tensor(level, primal.Shape, primal.DType)
    member _.Primal = primal
    member _.Tangent = tangent

/// The level of forward mode. A tensor without a tangent is simply not lifted, so no symbolic zero is needed.
[<Sealed>]
type ForwardLevel() =
    inherit Level("jvp")

    member l.PrimalOf(a: Tensor) = if obj.ReferenceEquals(a.Level, l) then Unsafe.As<Dual>(a).Primal else a

    /// Null where the tensor does not depend on what is varied.
    member l.TangentOf(a: Tensor) = if obj.ReferenceEquals(a.Level, l) then Unsafe.As<Dual>(a).Tangent else null

    member private l.Lift(out: Tensor, tangent: Tensor) : Tensor = if isNull tangent then out else Dual(l, out, tangent)

    override l.Detach(_, a) = l.PrimalOf a

    override l.Process1(op, a) =
        l.Check()
        let x = l.PrimalOf a
        let out = Tensor.Bind(op, x)

        if not (out.DType.IsFloat()) then
            out
        else
            match Partial.partial op 0 x null null out with
            | Derivative.Zero -> out
            | Derivative.Expand -> Partial.expand op a null null
            | (Derivative.Identity | Derivative.Linear _) as m -> l.Lift(out, Linear.apply m (l.TangentOf a) out.Shape)

    /// The sum of the inputs' contributions, or the operation expanded where one of them has no single linear map.
    member private l.Combine
        (op, a: Tensor, b: Tensor, c: Tensor, x: Tensor, y: Tensor, z: Tensor, out: Tensor)
        : Tensor =
        if not (out.DType.IsFloat()) then
            out
        else
            let mutable tangent: Tensor = null
            let mutable expand = false

            let contribute i (input: Tensor) =
                let t = if isNull input then null else l.TangentOf input

                if not (isNull t) && not expand then
                    match Partial.partial op i x y z out with
                    | Derivative.Zero -> ()
                    | Derivative.Expand -> expand <- true
                    | (Derivative.Identity | Derivative.Linear _) as m ->
                        let v = Linear.apply m t out.Shape
                        tangent <- if isNull tangent then v else tangent + v

            contribute 0 a
            contribute 1 b
            contribute 2 c
            if expand then Partial.expand op a b c else l.Lift(out, tangent)

    override l.Process2(op, a, b) =
        l.Check()
        let x, y = l.PrimalOf a, l.PrimalOf b
        l.Combine(op, a, b, null, x, y, null, Tensor.Bind(op, x, y))

    override l.Process3(op, a, b, c) =
        l.Check()
        let x, y, z = l.PrimalOf a, l.PrimalOf b, l.PrimalOf c
        l.Combine(op, a, b, c, x, y, z, Tensor.Bind(op, x, y, z))

    /// A graph with its tangents: inputs ++ tangents of the masked ones ↦ outputs ++ tangents of the float ones.
    static member Graph(g: Graph, mask: bool[]) : Graph =
        let varied = [|
            for i in 0 .. g.Inputs - 1 do
                if mask[i] then
                    i
        |]

        Trace.graph (Array.append g.InputSpecs (varied |> Array.map (fun i -> g.Specs[i]))) (fun staged ->
            let xs, ts = Array.splitAt g.Inputs staged
            let level = ForwardLevel()
            varied |> Array.iteri (fun k i -> xs[i] <- Dual(level, xs[i], ts[k]))

            let ys =
                try
                    Trace.replay g xs
                finally
                    level.Close()

            let tangent (y: Tensor) =
                let t = level.TangentOf y
                if isNull t then Tensor.zerosLike y else t

            let floats = ys |> Array.filter (fun y -> y.DType.IsFloat())
            Array.append (Array.map level.PrimalOf ys) (Array.map tangent floats))

    member private l.Pair(specs: Spec[], found: Tensor[]) =
        let ys, ts = Array.splitAt specs.Length found
        let mutable next = -1

        ys
        |> Array.map (fun y ->
            if y.DType.IsFloat() then
                next <- next + 1
                l.Lift(y, ts[next])
            else
                y)

    /// A loop, with the tangents of what varies in some step beside that in every section. `inputs` are the numbers of the
    /// body's inputs. `loop` makes the operation of the sections' specs, the body with its tangents, and a way to give
    /// another graph the inputs without theirs.
    member private l.Loop
        (
            body: Graph,
            inputs: Sections<int>,
            xs: Tensor[],
            ts: Tensor[],
            loop: Sections<Spec> -> Graph -> (Graph -> Graph) -> ManyOp
        ) =
        let constants, carry = inputs.Constants.Length, inputs.Carry.Length
        let mask = ts |> Array.map (isNull >> not) |> Dependence.carried body constants carry
        let varied = inputs |> Sections.filter (fun i -> mask[i])
        let specs = Sections.beside inputs varied |> Sections.map (fun i -> body.Specs[i])
        let isFloat = body.OutputSpecs |> Array.map _.DType.IsFloat()
        let results = Sections.cut 0 carry [| 0 .. isFloat.Length - 1 |]

        /// The results with tangents: the carries that vary, and what is stacked of floats.
        let duals = results |> Sections.filter (fun k -> if k < carry then mask[constants + k] else isFloat[k])

        let arranged (f: Sections<Tensor> -> Sections<Tensor> -> Tensor[]) =
            Trace.graph (Sections.flat specs) (fun v -> Sections.apart inputs varied v ||> f)

        let derivative = ForwardLevel.Graph(body, mask)

        let step =
            arranged (fun x t ->
                let ys, tangents =
                    Trace.replay derivative (Array.append (Sections.flat x) (Sections.flat t))
                    |> Array.splitAt isFloat.Length

                let tangents = Mask.spread isFloat tangents

                Sections.beside (Sections.cut 0 carry ys) (duals |> Sections.map (fun k -> tangents[k]))
                |> Sections.flat)

        let op = loop specs step (fun g -> arranged (fun x _ -> Trace.replay g (Sections.flat x)))
        let tangent i = if isNull ts[i] then Tensor.zerosLike xs[i] else ts[i]
        let given = Sections.beside (inputs |> Sections.map (fun i -> xs[i])) (Sections.map tangent varied)
        let ys, found = Sections.apart results duals (Tensor.Bind(op, Sections.flat given))
        let tangents = Array.zeroCreate isFloat.Length
        Array.iter2 (fun k t -> tangents[k] <- t) (Sections.flat duals) (Sections.flat found)
        Array.map2 (fun y t -> l.Lift(y, t)) (Sections.flat ys) tangents

    member private l.Scan(s: Scan, xs: Tensor[], ts: Tensor[]) =
        l.Loop(
            s.Body,
            s.Inputs [| 0 .. xs.Length - 1 |],
            xs,
            ts,
            fun specs body _ ->
                Scan {
                    s with
                        Body = body
                        Constants = specs.Constants.Length
                        Carry = specs.Carry.Length
                }
        )

    member private l.While(w: While, xs: Tensor[], ts: Tensor[]) =
        l.Loop(
            w.Body,
            w.Inputs [| 0 .. xs.Length - 1 |],
            xs,
            ts,
            fun specs body over ->
                While {
                    Condition = over w.Condition
                    Body = body
                    Constants = specs.Constants.Length
                }
        )

    member private l.Tangents(op, xs, ts, ys: Tensor[]) =
        Array.map2 (fun (y: Tensor) t -> if y.DType.IsFloat() then l.Lift(y, t) else y) ys (Many.tangents op xs ys ts)

    override l.ProcessMany(op, inputs) =
        l.Check()
        let found = l.Differentiate(op, inputs)

        match Dependence.results op (inputs |> Array.map (l.TangentOf >> isNull >> not)) with
        | null -> found
        | depends -> Array.map2 (fun (y: Tensor) varies -> if varies then y else l.PrimalOf y) found depends

    member private l.Differentiate(op: ManyOp, inputs: Tensor[]) : Tensor[] =
        let xs = Array.map l.PrimalOf inputs
        let ts = Array.map l.TangentOf inputs
        let mask = ts |> Array.map (isNull >> not)
        let present = ts |> Array.filter (isNull >> not)

        match op with
        | Call p ->
            let tangents = p.Derive(Derived.Tangents mask, (fun () -> ForwardLevel.Graph(p.Graph, mask)))
            let found = Tensor.Bind(Call tangents, Array.append xs present)
            l.Pair(p.Graph.OutputSpecs, found)
        | Cond(whenTrue, whenFalse) ->
            let branch g = ForwardLevel.Graph(g, mask[1..])
            let found = Tensor.Bind(Cond(branch whenTrue, branch whenFalse), Array.append xs present)
            l.Pair(whenTrue.OutputSpecs, found)
        | Scan s -> l.Scan(s, xs, ts)
        | While w -> l.While(w, xs, ts)
        | Concat _
        | Split _
        | Linear _ -> l.Tangents(op, xs, ts, Tensor.Bind(op, xs))
        // forwards nothing is kept, and what has no reverse mode will do; whoever goes back through the tangents computes again
        | Custom(:? Checkpoint as c) ->
            let tangents = Checkpoint(ForwardLevel.Graph(c.Graph, mask))
            l.Pair(c.Graph.OutputSpecs, Tensor.Bind(Custom tangents, Array.append xs present))
        | Custom(:? CustomRule as rule) ->
            Closure.refuseHidden l rule (fun i -> mask[i])
            let ys = Closure.perform l rule xs
            let found = Many.tangents op xs ys ts |> Closure.refuse l rule
            Array.map2 (fun (y: Tensor) t -> if y.DType.IsFloat() then l.Lift(y, t) else y) ys found
        | Custom rule -> invalidOp $"{rule.Name} has no derivative: give it one with customForward or customReverse"
