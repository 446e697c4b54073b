namespace Functional.Levels

// Recording: the tape is a graph of linear maps. It is made of immutable nodes that hold no primal values but those a
// linear map needs, so what is not needed dies early.

open System.Collections.Generic
open System.Runtime.CompilerServices
open Functional
open Functional.Operations
open Functional.Rules
open System.Threading
open Functional.Kernels

/// An entry of the tape. Adjoints are kept elsewhere, by Id, so that a tape can be swept many times and from many threads.
[<AbstractClass; AllowNullLiteral>]
type Entry =
    val Id: int
    new(id) = { Id = id }

/// How one value depends on at most two others. Where a parent is null the derivative is zero.
[<AllowNullLiteral>]
type Node =
    inherit Entry
    val Shape: int[]
    val DType: DType
    val P1: Node
    val M1: Derivative
    val P2: Node
    val M2: Derivative

    new(id, shape, dtype, p1, m1, p2, m2) =
        {
            inherit Entry(id)
            Shape = shape
            DType = dtype
            P1 = p1
            M1 = m1
            P2 = p2
            M2 = m2
        }

    /// A value that depends on no other: an input.
    new(id, shape, dtype) = Node(id, shape, dtype, null, Derivative.Zero, null, Derivative.Zero)

/// A node with a third input.
[<Sealed>]
type Node3(id, shape, dtype, p1, m1, p2, m2, p3: Node, m3: Derivative) =
    inherit Node(id, shape, dtype, p1, m1, p2, m2)
    member _.P3 = p3
    member _.M3 = m3

/// Several results at once: cotangents arrive by slot and leave together. It is no value itself.
[<AbstractClass>]
type ManyNode(id, parents: Node[], residuals: Tensor[], results: Spec[]) =
    inherit Entry(id)
    member _.Parents = parents
    member _.Residuals = residuals
    member _.Results = results
    /// Cotangents of the inputs; only the residuals passed in may be used. Null stands for zero on both sides.
    abstract Pull: residuals: Tensor[] * cotangents: Tensor[] -> Tensor[]

/// One result of a ManyNode.
[<Sealed>]
type Slot(id, shape, dtype, many: ManyNode, index: int) =
    inherit Node(id, shape, dtype)
    member _.Many = many
    member _.Index = index

/// A value on the tape.
[<Sealed>]
type Recorded(level: Level, primal: Tensor, node: Node) =
    inherit Tensor(level, primal.Shape, primal.DType)
    member _.Primal = primal
    member _.Node = node

/// The level of reverse mode. With `owns`, it keeps a list of the concrete values it made, for the caller to release.
[<Sealed>]
type RecordLevel(name: string, owns: bool, many: RecordLevel -> ManyOp -> Tensor[] -> Node[] -> Tensor[]) =
    inherit Level(name)

    let owned: List<Storage> = if owns then List() else null

    [<DefaultValue>]
    val mutable private count: int

    /// The user's rule whose map is recorded in order to be transposed, and so must be linear; null elsewhere.
    [<DefaultValue>]
    val mutable internal Linear: External

    /// Storage of what this level made: reachable only through its tracers and its tape, which both end here.
    member _.Owned = owned
    member l.NextId() = Interlocked.Increment(&l.count) - 1

    /// Puts an input on the tape; integers and truth values take part as constants.
    member l.Input(x: Tensor) : Tensor =
        let id = l.NextId()

        if x.DType.IsFloat() then Recorded(l, x, Node(id, x.Shape, x.DType)) else x

    /// Some of several inputs; the others keep their place on the tape and are constants.
    member l.Inputs(xs: Tensor[], active: bool[]) : Tensor[] =
        Array.map2
            (fun x isActive ->
                if isActive then
                    l.Input x
                else
                    l.NextId() |> ignore
                    x)
            xs
            active

    member l.NodeOf(a: Tensor) : Node = if obj.ReferenceEquals(a.Level, l) then Unsafe.As<Recorded>(a).Node else null

    member l.PrimalOf(a: Tensor) : Tensor = if obj.ReferenceEquals(a.Level, l) then Unsafe.As<Recorded>(a).Primal else a

    /// Notes a value this level made. Where an outer level took part, that level may have kept the operands.
    member l.Own(out: Tensor, x: Tensor, y: Tensor) =
        if owns then
            if isNull out.Level then
                let storage = Unsafe.As<Concrete>(out).Storage

                if not (isNull storage) then
                    lock owned (fun () -> owned.Add storage)
            else
                RecordLevel.Expose x
                RecordLevel.Expose y

    /// A value that leaves bare, without its level, is never released.
    static member Expose(t: Tensor) =
        match t with
        | :? Concrete as c when not (isNull c.Storage) -> c.Storage.Expose()
        | _ -> ()

    member private l.Constant(out: Tensor) =
        RecordLevel.Expose out
        out

    member private l.RefuseNonlinear(what: string) : unit =
        let direction = if l.Linear :? ForwardRule then "tangent" else "cotangent"

        invalidOp
            $"{l.Linear.Name}: what the rule makes of a {direction} must be linear in it, but {what}; the value may depend on argument and result in any way, on the {direction} only by sums and by products with what does not depend on it"

    /// Where a rule's map is recorded: whether an operation that these inputs take part in is linear in them.
    member private l.RequireLinear(op: Op, a: Tensor, b: Tensor, c: Tensor) : unit =
        let varies (t: Tensor) = not (isNull t) && obj.ReferenceEquals(t.Level, l)

        if not (Linearity.isLinear op (varies a) (varies b) (varies c)) then
            l.RefuseNonlinear $"it computes {Facts.name op} of it"

    /// The result of a linear map at 0 is 0, as far as it is known.
    member internal l.RequireZero(outs: Tensor[]) : unit =
        for out in outs do
            if not (isNull out) then
                match l.PrimalOf out with
                | :? Concrete as c when c.DType.IsFloat() ->
                    if Tensor.toFloats c |> Array.exists (fun x -> x <> 0.0 && not (System.Double.IsNaN x)) then
                        l.RefuseNonlinear "at 0 it is not 0"
                | _ -> ()

    override l.Detach(_, a) =
        if owns then
            // what it made has been given back by then
            l.Check()

        let x = l.PrimalOf a
        RecordLevel.Expose x
        x

    override l.Process1(op, a) =
        l.Check()

        if not (isNull (box l.Linear)) then
            l.RequireLinear(op, a, null, null)

        let x = l.PrimalOf a
        let out = Tensor.Bind(op, x)

        if not (out.DType.IsFloat()) then
            out
        else
            match Partial.partial op 0 x null null out with
            | Derivative.Zero -> l.Constant out
            | Derivative.Expand -> Partial.expand op a null null
            | (Derivative.Identity | Derivative.Linear _) as m ->
                l.Own(out, x, null)
                Recorded(l, out, Node(l.NextId(), out.Shape, out.DType, l.NodeOf a, m, null, Derivative.Zero))

    override l.Process2(op, a, b) =
        l.Check()

        if not (isNull (box l.Linear)) then
            l.RequireLinear(op, a, b, null)

        let x, y = l.PrimalOf a, l.PrimalOf b
        let out = Tensor.Bind(op, x, y)

        if not (out.DType.IsFloat()) then
            out
        else
            let na, nb = l.NodeOf a, l.NodeOf b
            let da = if isNull na then Derivative.Zero else Partial.partial op 0 x y null out
            let db = if isNull nb then Derivative.Zero else Partial.partial op 1 x y null out

            match da, db with
            | Derivative.Expand, _
            | _, Derivative.Expand -> Partial.expand op a b null
            | Derivative.Zero, Derivative.Zero -> l.Constant out
            | (Derivative.Zero | Derivative.Identity | Derivative.Linear _), _ ->
                l.Own(out, x, y)
                let na = if da.IsZero then null else na
                let nb = if db.IsZero then null else nb
                Recorded(l, out, Node(l.NextId(), out.Shape, out.DType, na, da, nb, db))

    override l.Process3(op, a, b, c) =
        l.Check()

        if not (isNull (box l.Linear)) then
            l.RequireLinear(op, a, b, c)

        let x, y, z = l.PrimalOf a, l.PrimalOf b, l.PrimalOf c
        let out = Tensor.Bind(op, x, y, z)

        if not (out.DType.IsFloat()) then
            out
        else
            let derivative i (n: Node) = if isNull n then Derivative.Zero else Partial.partial op i x y z out
            let na, nb, nc = l.NodeOf a, l.NodeOf b, l.NodeOf c
            let da, db, dc = derivative 0 na, derivative 1 nb, derivative 2 nc

            match da, db, dc with
            | Derivative.Expand, _, _
            | _, Derivative.Expand, _
            | _, _, Derivative.Expand -> Partial.expand op a b c
            | Derivative.Zero, Derivative.Zero, Derivative.Zero -> l.Constant out
            | (Derivative.Zero | Derivative.Identity | Derivative.Linear _), _, _ ->
                l.Own(out, x, y)

                if not (isNull out.Level) then
                    RecordLevel.Expose z

                let na = if da.IsZero then null else na
                let nb = if db.IsZero then null else nb
                let nc = if dc.IsZero then null else nc
                Recorded(l, out, Node3(l.NextId(), out.Shape, out.DType, na, da, nb, db, nc, dc))

    /// Puts several results on the tape as one node; the float ones can be differentiated.
    member l.Many(outs: Tensor[], make: int -> ManyNode) : Tensor[] =
        let node = make (l.NextId())

        outs
        |> Array.mapi (fun i out ->
            if out.DType.IsFloat() then
                Recorded(l, out, Slot(l.NextId(), out.Shape, out.DType, node, i)) :> Tensor
            else
                out)

    override l.ProcessMany(op, inputs) =
        l.Check()

        if not (isNull (box l.Linear)) then
            let varied = inputs |> Array.map (fun t -> obj.ReferenceEquals(t.Level, l))

            if not (Linearity.isLinearMany op varied) then
                l.RefuseNonlinear "it takes a decomposition of it"

        let primals = Array.map l.PrimalOf inputs
        Array.iter RecordLevel.Expose primals
        let nodes = Array.map l.NodeOf inputs
        let outs = many l op primals nodes

        match Dependence.results op (nodes |> Array.map (isNull >> not)) with
        | null -> outs
        | depends ->
            Array.map2 (fun (y: Tensor) isActive -> if isActive then y else l.Constant(l.PrimalOf y)) outs depends
