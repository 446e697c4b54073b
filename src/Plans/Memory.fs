/// The third pass: where every value lies. Values whose lives do not overlap share bytes, and an elementwise kernel
/// writes over an operand that nobody reads after it.
[<RequireQualifiedAccess>]
module internal Functional.Plans.Memory

open System.Collections.Generic
open Functional
open Functional.Kernels
open Functional.Operations

/// Where a value lies.
[<Struct; RequireQualifiedAccess>]
type Place =
    /// Given from outside: an input, or an output written where the caller wants it.
    | Outside
    /// A constant of the graph.
    | Constant
    /// In the arena, from this offset on.
    | Arena of offset: int64
    /// In a register of a fused kernel, or nowhere.
    | Nowhere

type Layout = {
    Places: Place[]
    ArenaBytes: int64
    /// The bytes of the arena's blocks, but for the last one. No value lies in two of them.
    Block: int
    /// The most bytes that are alive at once: no layout of these lives can be smaller.
    LiveBytes: int64
    /// For each kernel, the values it reads from memory and those it writes there.
    Reads: int[][]
    Writes: int[][]
}

/// Whether a value lies in memory.
let isStored (layout: Layout) (v: int) : bool =
    match layout.Places[v] with
    | Place.Nowhere -> false
    | Place.Outside
    | Place.Constant
    | Place.Arena _ -> true

/// The bytes that a value takes where it is stored; they may be more than one array holds.
let bytesOf (s: Spec) : int64 = ArraySize.Bytes(s.Shape, s.DType)

/// The bytes of a value that has to lie somewhere, where the operation puts it; an error where no array holds it.
let stored (operation: 'Op) (s: Spec) : int =
    let bytes = bytesOf s

    if bytes > int64 ArraySize.Limit then
        raise (ArraySize.TooLarge(string (box operation), s.Shape, s.DType))

    int bytes

/// An array by itself that stays where it is.
let own (operation: string) (s: Spec) : NDArray = Arena(max 1 (stored operation s)).At(0L, s.Shape, s.DType)

/// The name of the operation that makes a value, for an error.
let private makerOf (g: Graph) (firsts: int[]) v =
    match g.Instructions[firsts |> Array.findIndexBack (fun first -> first <= v)] with
    | Apply(op, _, _, _) -> Facts.name op
    | ApplyMany(op, _, _) -> Facts.nameMany op
    | Constant _ -> "constant"

let private rounded (n: int) : int64 =
    (int64 n + int64 Arena.Alignment - 1L) / int64 Arena.Alignment * int64 Arena.Alignment

/// A stretch of the arena that one value needs, and after it those written over it, from one kernel to another.
[<Sealed; AllowNullLiteral>]
type private Block(size: int64, first: int) =
    member _.Size = size
    member _.First = first
    member val Last = System.Int32.MaxValue with get, set
    member val Offset = 0L with get, set

    member a.MeetsInTime(b: Block) = a.First <= b.Last && b.First <= a.Last

/// Places blocks so that none overlap while both are needed, and tells how far they reach: the largest first, each at the
/// lowest place that is free all the time. Given out in the order it is needed, memory comes in holes of which small
/// values take a piece, and the next large one does not fit: an LSTM's step took 12.0 MB where 9.1 are alive at once.
/// Nothing lies across a multiple of `length`, where a new array of the arena's begins.
let private layOut (length: int64) (blocks: List<Block>) : int64 =
    let order = blocks.ToArray()

    System.Array.Sort(
        order,
        System.Comparison(fun (a: Block) b -> if a.Size = b.Size then a.First - b.First else compare b.Size a.Size)
    )

    let placed = List<Block>() // by offset
    let mutable top = 0L

    /// The first place from an offset on where so many bytes lie in one array.
    let inOne (offset: int64) (size: int64) =
        if offset / length = (offset + size - 1L) / length then
            offset
        else
            (offset / length + 1L) * length

    for block in order do
        let mutable i = 0

        while i < placed.Count && placed[i].Offset < block.Offset + block.Size do
            let other = placed[i]

            if other.MeetsInTime block then
                block.Offset <- inOne (max block.Offset (other.Offset + other.Size)) block.Size

            i <- i + 1

        while i > 0 && placed[i - 1].Offset > block.Offset do
            i <- i - 1

        placed.Insert(i, block)
        top <- max top (block.Offset + block.Size)

    top

/// The most bytes that are needed at once.
let private mostAlive (blocks: List<Block>) (kernels: int) : int64 =
    let change = Array.zeroCreate<int64>(kernels + 1)

    for block in blocks do
        change[block.First] <- change[block.First] + block.Size

        if block.Last < kernels then
            change[block.Last + 1] <- change[block.Last + 1] - block.Size

    let mutable alive, most = 0L, 0L

    for c in change do
        alive <- alive + c
        most <- max most alive

    most

/// Whether a kernel may write its result `y` where its operand `v` lies: if it goes element by element, `v` is as long as
/// the result, and it is not read again after the result is written. A sum is written when all is read, over what it is
/// added to.
let mayOverwrite (g: Graph) (schedule: Schedule) (kernel: Kernel) (v: int) (y: int) =
    let root = schedule.Root

    let reads k test = Graphs.arguments g.Instructions[k] |> Array.exists (fun a -> root[a] = v && test a)

    g.Specs[v].DType.Size() = g.Specs[y].DType.Size()
    && Shape.size g.Specs[v].Shape = Shape.size g.Specs[y].Shape
    && (kernel.Elementwise || Products.mayOverwrite g root kernel.Instructions v)
    && kernel.Instructions
       |> Array.forall (fun k -> not (reads k (fun a -> not (Shape.same g.Specs[a].Shape g.Specs[y].Shape))))
    && (let writer = kernel.Instructions |> Array.findIndex (fun k -> schedule.Firsts[k] = y)

        match kernel.Sums |> Array.tryFind (fun sum -> BlockSum.result schedule.Firsts sum = y) with
        | Some sum ->
            sum.Adds.IsSome
            && root[sum.Onto] = v
            && kernel.Instructions
               |> Array.forall (fun k -> schedule.Firsts[k] = y || not (reads k (fun _ -> true)))
        | None -> kernel.Instructions[writer + 1 ..] |> Array.forall (fun k -> not (reads k (fun _ -> true))))

/// Which kernel makes each value, −1 where none does; what each kernel reads from memory and writes there; and after which
/// kernel nobody reads a value, or a view of it.
type private Traffic = { KernelOf: int[]; Reads: int[][]; Writes: int[][]; LastRead: int[] }

let private traffic (g: Graph) (schedule: Schedule) : Traffic =
    let root = schedule.Root

    let results (kernel: Kernel) = [|
        for k in kernel.Instructions do
            yield! Graphs.made g schedule.Firsts k
    |]

    let kernelOf = Array.create g.Specs.Length -1

    schedule.Kernels
    |> Array.iteri (fun i kernel -> results kernel |> Array.iter (fun v -> kernelOf[v] <- i))

    // values other kernels, or the caller, read
    let escapes = Array.create g.Specs.Length false

    for v in g.Outputs do
        escapes[root[v]] <- true

    let reads =
        schedule.Kernels
        |> Array.mapi (fun i kernel ->
            kernel.Instructions
            |> Array.collect (fun k -> Graphs.arguments g.Instructions[k])
            |> Array.map (fun v ->
                // a view of a value of the same kernel goes through memory
                if root[v] <> v then
                    escapes[root[v]] <- true

                root[v])
            |> Array.filter (fun v -> kernelOf[v] <> i || escapes[v])
            |> Array.distinct)

    let lastRead = Array.create g.Specs.Length -1

    reads
    |> Array.iteri (fun i values ->
        for v in values do
            lastRead[v] <- i

            if kernelOf[v] <> i then
                escapes[v] <- true)

    for v in g.Outputs do
        lastRead[root[v]] <- System.Int32.MaxValue

    // what is put together of columns is written by all that make a part of it
    let writes =
        schedule.Kernels
        |> Array.map (fun kernel ->
            let isAlone = not kernel.Elementwise && kernel.Instructions.Length = 1

            results kernel
            |> Array.map (fun v -> root[v])
            |> Array.filter (fun v -> escapes[v] || isAlone)
            |> Array.distinct)

    { KernelOf = kernelOf; Reads = reads; Writes = writes; LastRead = lastRead }

/// `outside` tells which values the caller provides memory for.
let plan (passes: Passes) (g: Graph) (schedule: Schedule) (outside: HashSet<int>) : Layout =
    let kernels = schedule.Kernels
    let traffic = traffic g schedule
    let places = Array.create g.Specs.Length Place.Nowhere

    for v in 0 .. g.Inputs - 1 do
        places[v] <- Place.Outside

    g.Instructions
    |> Array.iteri (fun k instruction ->
        if instruction.IsConstant then
            places[schedule.Firsts[k]] <- Place.Constant)

    let blocks = List<Block>()
    let blockOf = Array.zeroCreate<Block> g.Specs.Length

    let size v =
        let maker = {
            new obj() with
                member _.ToString() = makerOf g schedule.Firsts v
        }

        rounded (max 1 (stored maker g.Specs[v]))

    let overwritten (i: int) (y: int) (taken: HashSet<int>) =
        traffic.Reads[i]
        |> Array.tryFind (fun v ->
            traffic.LastRead[v] = i
            && not (taken.Contains v)
            && not (isNull blockOf[v])
            && mayOverwrite g schedule kernels[i] v y)

    for i in 0 .. kernels.Length - 1 do
        let taken = HashSet<int>()

        for y in traffic.Writes[i] do
            if places[y] = Place.Nowhere && isNull blockOf[y] then
                if outside.Contains y then
                    size y |> ignore
                    places[y] <- Place.Outside
                else
                    match (if passes.Share && traffic.KernelOf[y] = i then overwritten i y taken else None) with
                    | Some v ->
                        taken.Add v |> ignore
                        blockOf[y] <- blockOf[v]
                    | None ->
                        blockOf[y] <- Block(size y, i)
                        blocks.Add blockOf[y]

        let isDone v = traffic.LastRead[v] = i || traffic.LastRead[v] < 0

        for v in Array.append traffic.Reads[i] traffic.Writes[i] do
            if passes.Share && isDone v && not (taken.Contains v) && not (isNull blockOf[v]) then
                blockOf[v].Last <- i

    let largest = blocks |> Seq.fold (fun most block -> max most block.Size) 1L
    // blocks of the largest value, if there is one larger than a block
    let length = max largest (int64 passes.Block)
    let top = layOut length blocks

    for v in 0 .. places.Length - 1 do
        if not (isNull blockOf[v]) then
            places[v] <- Place.Arena blockOf[v].Offset

    {
        Places = places
        ArenaBytes = top
        Block = int length
        LiveBytes = mostAlive blocks kernels.Length
        Reads = traffic.Reads
        Writes = traffic.Writes
    }
