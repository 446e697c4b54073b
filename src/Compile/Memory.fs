/// The third pass: where every value lies. Values whose lives do not overlap share bytes, and an elementwise kernel
/// writes over an operand that nobody reads after it.
[<RequireQualifiedAccess>]
module internal Functional.Compile.Memory

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
    | Arena of offset: int
    /// In a register of a fused kernel, or nowhere.
    | Nowhere

type Layout = {
    Places: Place[]
    ArenaBytes: int
    /// The most bytes that are alive at once: no layout of these lives can be smaller.
    LiveBytes: int
    /// For each kernel, the values it reads from memory and those it writes there.
    Reads: int[][]
    Writes: int[][]
}

let bytesOf (s: Spec) = Shape.size s.Shape * s.DType.Size()
let private rounded n = (n + Arena.Alignment - 1) / Arena.Alignment * Arena.Alignment

/// Free space in the arena, by best fit; grows when nothing fits.
[<Sealed>]
type private Space() =
    let free = List<struct (int * int)>() // offset, size; sorted by offset
    let mutable top = 0
    let mutable live = 0
    let mutable most = 0
    member _.Top = top
    /// The most bytes that were taken at once.
    member _.Most = most

    member _.Take(size: int) : int =
        live <- live + size
        most <- max most live
        let mutable best = -1

        for i in 0 .. free.Count - 1 do
            let struct (_, s) = free[i]

            if s >= size then
                let fits =
                    best < 0
                    || (let struct (_, b) = free[best]
                        s < b)

                if fits then
                    best <- i

        if best >= 0 then
            let struct (o, s) = free[best]

            if s = size then
                free.RemoveAt best
            else
                free[best] <- struct (o + size, s - size)

            o
        else
            let o = top
            top <- top + size
            o

    member _.Give(offset: int, size: int) =
        live <- live - size
        let mutable i = 0

        while i < free.Count
              && (let struct (o, _) = free[i]
                  o < offset) do
            i <- i + 1

        free.Insert(i, struct (offset, size))

        let merge i =
            if i >= 0 && i + 1 < free.Count then
                let struct (o, s) = free[i]
                let struct (p, t) = free[i + 1]

                if o + s = p then
                    free[i] <- struct (o, s + t)
                    free.RemoveAt(i + 1)

        merge i
        merge (i - 1)

/// Whether a kernel may write its result `y` where its operand `v` lies: if it goes element by element, `v` is as long as
/// the result, and it is not read again after the result is written.
let mayOverwrite (g: Graph) (schedule: Fuse.Schedule) (kernel: Fuse.Kernel) (v: int) (y: int) =
    let root = schedule.Root

    let reads k test = Graphs.arguments g.Instructions[k] |> Array.exists (fun a -> root[a] = v && test a)

    g.Specs[v].DType.Size() = g.Specs[y].DType.Size()
    && Shape.size g.Specs[v].Shape = Shape.size g.Specs[y].Shape
    && (kernel.Elementwise || Products.mayOverwrite g root kernel.Instructions v)
    && kernel.Instructions
       |> Array.forall (fun k -> not (reads k (fun a -> not (Shape.same g.Specs[a].Shape g.Specs[y].Shape))))
    && (let writer = kernel.Instructions |> Array.findIndex (fun k -> schedule.Firsts[k] = y)
        kernel.Instructions[writer + 1 ..] |> Array.forall (fun k -> not (reads k (fun _ -> true))))

/// `outside` tells which values the caller provides memory for.
let plan (passes: Fuse.Passes) (g: Graph) (schedule: Fuse.Schedule) (outside: HashSet<int>) : Layout =
    let root = schedule.Root
    let kernels = schedule.Kernels
    let places = Array.create g.Specs.Length Place.Nowhere

    for v in 0 .. g.Inputs - 1 do
        places[v] <- Place.Outside

    g.Instructions
    |> Array.iteri (fun k instruction ->
        match instruction with
        | Constant _ -> places[schedule.Firsts[k]] <- Place.Constant
        | Apply _
        | ApplyMany _ -> ())

    // values other kernels, or the caller, read
    let kernelOf = Array.create g.Specs.Length -1

    kernels
    |> Array.iteri (fun i kernel ->
        for k in kernel.Instructions do
            for r in schedule.Firsts[k] .. schedule.Firsts[k] + Graphs.results g.Instructions[k] - 1 do
                kernelOf[r] <- i)

    let escapes = Array.create g.Specs.Length false

    for v in g.Outputs do
        escapes[root[v]] <- true

    let reads =
        kernels
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

    reads
    |> Array.iteri (fun i rs ->
        for v in rs do
            if kernelOf[v] <> i then
                escapes[v] <- true)

    // what is put together of columns is written by all that make a part of it
    let writes =
        kernels
        |> Array.map (fun kernel ->
            Array.distinct [|
                for k in kernel.Instructions do
                    for r in schedule.Firsts[k] .. schedule.Firsts[k] + Graphs.results g.Instructions[k] - 1 do
                        if escapes[root[r]] || (not kernel.Elementwise && kernel.Instructions.Length = 1) then
                            root[r]
            |])

    let lastRead = Array.create g.Specs.Length -1

    reads
    |> Array.iteri (fun i rs ->
        for v in rs do
            lastRead[v] <- max lastRead[v] i)

    for v in g.Outputs do
        lastRead[root[v]] <- System.Int32.MaxValue

    let space = Space()
    let size v = rounded (max 1 (bytesOf g.Specs[v]))

    let overwritten (i: int) (y: int) (taken: HashSet<int>) =
        reads[i]
        |> Array.tryFind (fun v ->
            lastRead[v] = i
            && not (taken.Contains v)
            && (match places[v] with
                | Place.Arena _ -> true
                | _ -> false)
            && mayOverwrite g schedule kernels[i] v y)

    for i in 0 .. kernels.Length - 1 do
        let taken = HashSet<int>()

        for y in writes[i] |> Array.filter (fun y -> places[y] = Place.Nowhere) do
            if outside.Contains y then
                places[y] <- Place.Outside
            else
                match (if passes.Share && kernelOf[y] = i then overwritten i y taken else None) with
                | Some v ->
                    taken.Add v |> ignore
                    places[y] <- places[v]
                | None -> places[y] <- Place.Arena(space.Take(size y))

        for v in Array.append reads[i] (writes[i] |> Array.filter (fun y -> lastRead[y] < 0)) do
            if passes.Share && (lastRead[v] = i || lastRead[v] < 0) && not (taken.Contains v) then
                match places[v] with
                | Place.Arena offset -> space.Give(offset, size v)
                | Place.Outside
                | Place.Constant
                | Place.Nowhere -> ()

    {
        Places = places
        ArenaBytes = space.Top
        LiveBytes = space.Most
        Reads = reads
        Writes = writes
    }
