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

    /// Of the tangents of a body's float results, which `ForwardLevel.Graph` makes, those of what is carried as dual numbers.
    static member private Carried
        (body: Graph, carry: int, constants: int, mask: bool[], tangents: Tensor[])
        : Tensor[] =
        let floats = [|
            for i in 0 .. carry - 1 do
                if body.OutputSpecs[i].DType.IsFloat() then
                    i
        |]

        Array.zip floats tangents |> Array.filter (fun (i, _) -> mask[constants + i]) |> Array.map snd

    /// What a loop carried: dual numbers where it has tangents.
    member private l.Carry(first: int, carry: int[], values: Tensor[], tangents: Tensor[]) : Tensor[] =
        let values = Array.copy values
        carry |> Array.iteri (fun j i -> values[i - first] <- l.Lift(values[i - first], tangents[j]))
        values

    member private l.Scan(s: Scan, xs: Tensor[], ts: Tensor[]) =
        let nc, nk = s.Constants, s.Carry
        let mask = ts |> Array.map (isNull >> not) |> Dependence.carried s.Body nc nk
        let body = ForwardLevel.Graph(s.Body, mask)

        let part lo hi = [|
            for i in lo .. hi - 1 do
                if mask[i] then
                    i
        |]

        let constants, carry, moving = part 0 nc, part nc (nc + nk), part (nc + nk) xs.Length
        let outs = s.Body.OutputSpecs

        let floatCarry = outs[.. nk - 1] |> Array.filter (fun o -> o.DType.IsFloat()) |> Array.length
        let tangentSpecs places = places |> Array.map (fun i -> s.Body.Specs[i])
        let ins = s.Body.InputSpecs
        let slice lo hi = Array.sub ins lo (hi - lo)

        // constants ++ their tangents, carry ++ its tangents, xs ++ theirs, and the same for the results
        let specs =
            Array.concat [
                slice 0 nc
                tangentSpecs constants
                slice nc (nc + nk)
                tangentSpecs carry
                slice (nc + nk) xs.Length
                tangentSpecs moving
            ]

        let arranged =
            Trace.graph specs (fun v ->
                let cut n (v: Tensor[]) = Array.splitAt n v
                let c, v = cut nc v
                let tc, v = cut constants.Length v
                let k, v = cut nk v
                let tk, v = cut carry.Length v
                let x, tx = cut (xs.Length - nc - nk) v
                let found = Trace.replay body (Array.concat [ c; k; x; tc; tk; tx ])
                let ys, tys = cut outs.Length found
                let tCarry, tRest = cut floatCarry tys
                let tCarry = ForwardLevel.Carried(s.Body, nk, nc, mask, tCarry)
                Array.concat [ Array.take nk ys; tCarry; Array.skip nk ys; tRest ])

        let tangentsAt places = places |> Array.map (fun i -> if isNull ts[i] then Tensor.zerosLike xs[i] else ts[i])

        let found =
            Tensor.Bind(
                Scan {
                    s with
                        Body = arranged
                        Constants = nc + constants.Length
                        Carry = nk + carry.Length
                },
                Array.concat [
                    Array.sub xs 0 nc
                    tangentsAt constants
                    Array.sub xs nc nk
                    tangentsAt carry
                    Array.skip (nc + nk) xs
                    tangentsAt moving
                ]
            )

        let k, rest = Array.splitAt nk found
        let tk, rest = Array.splitAt carry.Length rest
        let ys, tys = Array.splitAt (outs.Length - nk) rest
        Array.append (l.Carry(nc, carry, k, tk)) (l.Pair(outs[nk..], Array.append ys tys))

    member private l.While(w: While, xs: Tensor[], ts: Tensor[]) =
        let nc, n = w.Constants, xs.Length

        let mask = ts |> Array.map (isNull >> not) |> Dependence.carried w.Body nc (n - nc)
        let body = ForwardLevel.Graph(w.Body, mask)

        let constants = [|
            for i in 0 .. nc - 1 do
                if mask[i] then
                    i
        |]

        let carry = [|
            for i in nc .. n - 1 do
                if mask[i] then
                    i
        |]

        let ins = w.Body.InputSpecs
        let specsAt = Array.map (fun i -> ins[i])
        let specs = Array.concat [ Array.take nc ins; specsAt constants; Array.skip nc ins; specsAt carry ]

        let arranged take =
            Trace.graph specs (fun v ->
                let c, v = Array.splitAt nc v
                let tc, v = Array.splitAt constants.Length v
                let k, tk = Array.splitAt (n - nc) v
                take c tc k tk)

        let tangentsAt places = places |> Array.map (fun i -> if isNull ts[i] then Tensor.zerosLike xs[i] else ts[i])

        let op =
            While {
                Condition = arranged (fun c _ k _ -> Trace.replay w.Condition (Array.append c k))
                Body =
                    arranged (fun c tc k tk ->
                        let ys, tys = Trace.replay body (Array.concat [ c; k; tc; tk ]) |> Array.splitAt (n - nc)
                        Array.append ys (ForwardLevel.Carried(w.Body, n - nc, nc, mask, tys)))
                Constants = nc + constants.Length
            }

        let found =
            Tensor.Bind(op, Array.concat [ Array.take nc xs; tangentsAt constants; Array.skip nc xs; tangentsAt carry ])

        let k, tk = Array.splitAt (n - nc) found
        l.Carry(nc, carry, k, tk)

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
