namespace Functional.Plans

/// Which passes run, so that a benchmark can show what each of them buys.
type internal Passes = {
    /// Elementwise operations over the same elements are one kernel.
    Fuse: bool
    /// Elementwise kernels sum up what is summed of them.
    Sums: bool
    /// What is added to a matrix product is added by the product's kernel.
    Products: bool
    /// Values whose lives do not overlap share memory.
    Share: bool
    /// What treats every example by itself is run by rows: each thread does all of it for a part of the batch.
    Rows: bool
    /// Weights that the steps of a loop share are copied once a run into the order in which products read them.
    Pack: bool
    /// The most bytes of one array of the arena.
    Block: int
}

[<RequireQualifiedAccess>]
module internal Passes =

    /// All of them, as every program is made.
    let all = {
        Fuse = true
        Sums = true
        Products = true
        Share = true
        Rows = true
        Pack = true
        Block = Functional.Kernels.Arena.LargestBlock
    }
