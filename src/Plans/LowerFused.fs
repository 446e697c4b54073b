namespace Functional.Plans

// How a kernel of elementwise operations is run: as a loop over blocks of elements, or, on single numbers, as straight-line
// code.

open System.Collections.Generic
open Functional
open Functional.Kernels
open Functional.Operations

[<AutoOpen>]
module private FusedOperation =

    /// The operation of a fused run: its loop, the loop's function, the factor of AddScaled.
    let fusedStep (op: Op) a b c y =
        match (Facts.ofOp op).Fusion with
        | Facts.Fusion.Elementwise(kind, number, factor) -> FusedStep(kind, number, a, b, c, y, factor)
        | Facts.Fusion.Product -> FusedStep(FusedKind.Outer, 0, a, b, c, y, 0.0)
        | Facts.Fusion.Apart -> invalidOp $"internal: {Facts.name op} is not elementwise"

/// Puts the loop of a kernel together: where each value lies for it, and its steps.
[<Sealed>]
type private FusedWriter(g: Graph, schedule: Schedule, layout: Memory.Layout, kernel: Kernel) =
    let result = g.Specs[schedule.Firsts[kernel.Body[0]]].Shape
    let places = List<FusedPlace>()
    let numbers = Dictionary<int, int>()
    let steps = List<FusedStep>()
    // registers are reused once the last operation that reads them is done
    let lastUse = Dictionary<int, int>()
    let free = Stack<int>()
    let mutable registers = 0
    let mutable columns = None

    do
        Array.append kernel.Body (Array.collect BlockSum.instructions kernel.After)
        |> Array.iteri (fun i k ->
            for v in Graphs.arguments g.Instructions[k] do
                lastUse[v] <- i)

    let add (p: FusedPlace) =
        places.Add p
        places.Count - 1

    /// A value in memory, read in a loop's way.
    let inMemory mode v = add (FusedPlace(mode, schedule.Root[v], g.Specs[v].DType))

    /// A value of the result's shape, in memory.
    let whole v =
        match schedule.Windows[v] with
        | ValueSome window ->
            columns <- Some(Array.last result)
            add (FusedPlace(FusedMode.Window, schedule.Root[v], g.Specs[v].DType, window.Offset, window.Width))
        | ValueNone -> inMemory FusedMode.Full v

    let operand v =
        match numbers.TryGetValue v with
        | true, n -> n
        | _ ->
            let n =
                match Alignment.between g.Specs[v].Shape result with
                | Alignment.Full -> whole v
                | Alignment.Scalar -> inMemory FusedMode.Scalar v
                | Alignment.Row n ->
                    columns <- Some n
                    inMemory FusedMode.Row v
                | Alignment.Column n ->
                    columns <- Some n
                    inMemory FusedMode.Column v
                | Alignment.Other -> invalidOp "internal: an operand that is not aligned was fused"

            numbers[v] <- n
            n

    let register () =
        if free.Count > 0 then
            free.Pop()
        else
            registers <- registers + 1
            registers - 1

    /// Gives back the registers of operands that step `i` is the last to read, where elements are as long as the result's,
    /// or where they are not.
    let fade i k y sameSize =
        for v in Graphs.arguments g.Instructions[k] |> Array.distinct do
            let p = places[numbers[v]]

            if
                lastUse[v] = i
                && p.Mode = FusedMode.Register
                && (p.Type.Size() = g.Specs[y].DType.Size()) = sameSize
            then
                free.Push p.Index

    let write i k =
        match g.Instructions[k] with
        | Apply(op, a, b, c) ->
            let at v = if v < 0 then -1 else operand v
            let a, b, c = at a, at b, at c
            let y = schedule.Firsts[k]
            // a result may take its operand's register where the elements are equally long
            fade i k y true

            let target =
                if Memory.isStored layout schedule.Root[y] then
                    whole y
                else
                    add (FusedPlace(FusedMode.Register, register (), g.Specs[y].DType))

            fade i k y false
            numbers[y] <- target
            steps.Add(fusedStep op a b c target)
        | Constant _
        | ApplyMany _ -> invalidOp "internal: not an elementwise instruction"

    let summed (sum: BlockSum) =
        let spread mode v = if v < 0 then -1 else inMemory mode v

        /// Elements of the run, under whatever shape.
        let elements v =
            match numbers.TryGetValue v with
            | true, n -> n
            | _ -> spread FusedMode.Full v

        columns <- Option.orElse sum.Columns columns

        let factor =
            match sum.Over with
            | FusedSumKind.Weighted -> spread FusedMode.Column sum.Factor
            | FusedSumKind.Dots -> spread FusedMode.Row sum.Factor
            | _ -> elements sum.Factor

        let made =
            BlockSum.result schedule.Firsts sum
            |> spread (if sum.Over = FusedSumKind.Dots then FusedMode.Column else FusedMode.Scalar)

        FusedSum(sum.Over, elements sum.Terms, factor, spread FusedMode.Scalar sum.Onto, sum.Scale, made)

    /// The loop.
    member _.Loop() : FusedLoop =
        Array.iteri write kernel.Body
        let before, after = Array.map summed kernel.Before, Array.map summed kernel.After
        let size = Shape.size result
        let columns = defaultArg columns (max 1 size)
        FusedLoop(size / max 1 columns, columns, registers, places.ToArray(), steps.ToArray(), before, after)

[<RequireQualifiedAccess>]
module internal LowerFused =

    /// A kernel on single numbers: straight-line code.
    let scalars (g: Graph) (schedule: Schedule) (layout: Memory.Layout) (kernel: Kernel) : Step =
        let slots = Dictionary<int, int>()
        let types = List<DType>()
        let inputs, outputs = List<struct (int * int)>(), List<struct (int * int)>()

        let slot v =
            match slots.TryGetValue v with
            | true, s -> s
            | _ ->
                let s = types.Count
                types.Add g.Specs[v].DType
                slots[v] <- s
                s

        let steps =
            kernel.Instructions
            |> Array.map (fun k ->
                match g.Instructions[k] with
                | Apply(op, a, b, c) ->
                    let at v =
                        if v < 0 then
                            -1
                        else
                            let root = schedule.Root[v]

                            if not (slots.ContainsKey root) then
                                inputs.Add(struct (slot root, root))

                            slot root

                    let a, b, c = at a, at b, at c
                    let y = schedule.Firsts[k]
                    let target = slot y

                    if Memory.isStored layout y then
                        outputs.Add(struct (target, y))

                    fusedStep op a b c target
                | Constant _
                | ApplyMany _ -> invalidOp "internal: not an elementwise instruction")

        let program = ScalarProgram(steps, types.ToArray(), inputs.ToArray(), outputs.ToArray())
        Step.make (Step.nameOf g kernel) program.Run

    /// An elementwise kernel of several operations, and of sums, block by block.
    let loop (g: Graph) (schedule: Schedule) (layout: Memory.Layout) (kernel: Kernel) : Step =
        Step.make (Step.nameOf g kernel) (FusedWriter(g, schedule, layout, kernel).Loop().Run)
