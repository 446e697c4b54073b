namespace Functional.Plans

// What a schedule is made of.

open Functional.Operations

/// A kernel: instructions of the graph in the order they run. Views (reshapes) belong to no kernel.
[<Sealed>]
type internal Kernel(body: int[], elementwise: bool, before: BlockSum[], after: BlockSum[]) =
    member val Instructions =
        Array.concat [ Array.collect BlockSum.instructions before; body; Array.collect BlockSum.instructions after ]

    member _.Elementwise = elementwise
    /// The instructions that go element by element; all of a kernel of another kind.
    member _.Body = body
    /// What an elementwise kernel sums up of others' elements, block by block, before it may write over them.
    member _.Before = before
    /// What it sums up of elements that it makes.
    member _.After = after
    member val Sums = Array.append before after

/// Why an elementwise operation did not join the kernel that makes one of its operands.
[<RequireQualifiedAccess>]
type internal Obstacle =
    /// What it needs of that kernel is made by something else: a product, a reduction, a loop.
    | OtherKind
    /// That kernel runs over other elements.
    | OtherShape of int[]
    /// That kernel has as many operations as it can hold.
    | Full
    /// One is code on single numbers, the other is not.
    | SingleNumbers
    /// Its operands repeat along rows of another length than those of that kernel.
    | OtherRows
    /// It needs another kernel that waits for that one.
    | Waits
    /// An operand repeats along inner axes and has to be spread out first.
    | Spread
    /// Its rows are too long to be summed up on the way.
    | LongRows
    /// Threads share that kernel, and a sum has an order.
    | Shared

/// Where a value lies in rows of a wider one: its first column, and the columns of the whole.
[<Struct>]
type internal ColumnWindow = { Offset: int; Width: int }

/// The graph's kernels in the order they run, and for every value the one whose memory it looks at; for those that are
/// some columns of it, which.
type internal Schedule = {
    Kernels: Kernel[]
    Root: int[]
    Windows: ColumnWindow voption[]
    Firsts: int[]
    /// Instructions that stayed out of a kernel, given by its place: what was not fused, and why.
    Apart: struct (int * int * Obstacle)[]
}
