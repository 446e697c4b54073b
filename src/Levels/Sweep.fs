/// The sweep: linear maps transposed, from the outputs back to the inputs. Iterative, so that a tape may be of any depth.
module internal Functional.Levels.Sweep

open Functional
open Functional.Operations
open Functional.Rules
open System.Buffers
open System.Collections.Generic
open System.Runtime.CompilerServices
open Functional.Kernels

/// Adjoints by node id, in pooled arrays local to one call: nothing on the tape is written to.
[<Sealed>]
type private Adjoints(count: int, own: List<Storage>) =
    let entries = ArrayPool<Entry>.Shared.Rent count
    let cotangents = ArrayPool<Tensor>.Shared.Rent count
    let mutable slots: Dictionary<int, Tensor[]> = null

    member _.Entry(id) = entries[id]
    member _.Cotangent(id) = cotangents[id]
    member _.SlotsOf(id) = slots[id]

    /// Lets go of operands that an outer level may have kept: those of something that it took part in.
    member _.LetGo(made: Tensor, operands: Tensor[]) =
        if not (isNull own) && not (isNull made) && not (isNull made.Level) then
            for x in operands do
                if not (isNull x) then
                    RecordLevel.Expose x

    /// Notes what the sweep itself made, for release; operands that an outer level may have kept are let go.
    member _.Keep(made: Tensor, ct: Tensor, residual: Tensor) =
        if not (isNull own) then
            if not (isNull made.Level) then
                RecordLevel.Expose ct
                RecordLevel.Expose residual
            elif not (obj.ReferenceEquals(made, ct)) then
                let storage = Unsafe.As<Concrete>(made).Storage

                if not (isNull storage) then
                    own.Add storage

        made

    member a.Put(n: Node, ct: Tensor) =
        match n with
        | :? Slot as s ->
            if isNull slots then
                slots <- Dictionary()

            let row =
                match slots.TryGetValue s.Many.Id with
                | true, r -> r
                | _ ->
                    let r = Array.zeroCreate s.Many.Results.Length
                    slots[s.Many.Id] <- r
                    entries[s.Many.Id] <- s.Many
                    r

            match row[s.Index] with
            | null -> row[s.Index] <- ct
            | old ->
                row[s.Index] <- old + ct
                a.LetGo(row[s.Index], [| old; ct |])
        | _ ->
            let old = cotangents[n.Id]

            if isNull old then
                entries[n.Id] <- n
                cotangents[n.Id] <- ct
            else
                cotangents[n.Id] <- a.Keep(Tensor.Bind(Prim.add, old, ct), old, ct)

    member _.Done(id) =
        entries[id] <- null
        cotangents[id] <- null

    member _.Return(upTo: int) =
        System.Array.Clear(entries, 0, upTo)
        System.Array.Clear(cotangents, 0, upTo)
        ArrayPool.Shared.Return entries
        ArrayPool.Shared.Return cotangents

/// Cotangents of the first `inputs` nodes (null where none arrives) from those of the outputs. `own` collects the
/// storage that the sweep made, or is null.
let run (outputs: struct (Node * Tensor)[]) (inputs: int) (own: List<Storage>) : Tensor[] =
    let mutable top = inputs

    for struct (n, _) in outputs do
        top <- max top (n.Id + 1)

    let adjoints = Adjoints(top, own)

    let push (n: Node) (d: Derivative) (ct: Tensor) =
        if not (isNull n) then
            adjoints.Put(n, adjoints.Keep(Linear.transpose d ct n.Shape n.DType, ct, d.Residual))

    try
        for struct (n, ct) in outputs do
            adjoints.Put(n, ct)

        for id in top - 1 .. -1 .. inputs do
            let entry = adjoints.Entry id

            if not (isNull entry) then
                match entry with
                | :? ManyNode as m ->
                    let slots = adjoints.SlotsOf id
                    let cts = m.Pull(m.Residuals, slots)

                    for ct in cts do
                        adjoints.LetGo(ct, slots)

                    for i in 0 .. m.Parents.Length - 1 do
                        if not (isNull m.Parents[i]) && not (isNull cts[i]) then
                            adjoints.Put(m.Parents[i], cts[i])
                | _ ->
                    let n = Unsafe.As<Node> entry
                    let ct = adjoints.Cotangent id
                    push n.P1 n.M1 ct
                    push n.P2 n.M2 ct

                    match n with
                    | :? Node3 as n -> push n.P3 n.M3 ct
                    | _ -> ()

                adjoints.Done id

        Array.init inputs adjoints.Cotangent
    finally
        adjoints.Return top
