/// What a matrix product takes along: a value that is added to it, with a factor. `x + h·u` is one kernel, and so is
/// `w − rate·(xᵀ·d)`, the update of a weight by its gradient, which then is never written anywhere.
[<RequireQualifiedAccess>]
module internal Functional.Plans.Products

open Functional
open Functional.Kernels
open Functional.Operations

/// onto + scale·(op(a)·op(b)).
[<Struct>]
type ProductSum = { Product: int; Onto: int; Scale: float }

/// How often every value is read, an output once more.
let reads (g: Graph) : int[] =
    let counts = Array.zeroCreate<int> g.Specs.Length

    for instruction in g.Instructions do
        for v in Graphs.arguments instruction do
            counts[v] <- counts[v] + 1

    for v in g.Outputs do
        counts[v] <- counts[v] + 1

    counts

/// Whether the product's kernel can read a value beside each element of its result.
let private liesAlong (g: Graph) (product: int) (onto: int) =
    let shape, other = g.Specs[product].Shape, g.Specs[onto].Shape
    let columns = Array.last shape

    Shape.same shape other
    || (Shape.size other = columns && other.Length > 0 && Array.last other = columns)

/// The instruction `k` as a sum of a product, made by the instruction `makes` names, and another value; `readOnce` tells
/// that the product is read nowhere else.
let sum (g: Graph) (readOnce: int -> bool) (makes: int -> Instruction voption) (k: int) : ProductSum voption =
    let known product onto scale =
        match makes product with
        | ValueSome(Apply(MatMul _, _, _, _)) when
            readOnce product && g.Specs[product].DType.IsFloat() && liesAlong g product onto
            ->
            ValueSome { Product = product; Onto = onto; Scale = scale }
        | _ -> ValueNone

    match g.Instructions[k] with
    | Apply(Binary Binary.Add, x, y, _) ->
        match known y x 1.0 with
        | ValueNone -> known x y 1.0
        | found -> found
    | Apply(Binary Binary.Sub, x, y, _) -> known y x -1.0
    | Apply(AddScaled scale, x, y, _) -> known y x scale
    | Apply _
    | ApplyMany _
    | Constant _ -> ValueNone

/// Whether a kernel of these instructions, a product and a sum, may write its result over the value it is added to.
let mayOverwrite (g: Graph) (root: int[]) (kernel: int[]) (v: int) =
    match kernel |> Array.map (fun k -> g.Instructions[k]) with
    | [| Apply(MatMul(transposed, _), a, b, _); _ |] ->
        let shape = g.Specs[a].Shape
        let terms = shape[shape.Length - (if transposed then 2 else 1)]
        root[a] <> v && root[b] <> v && Gemm.MayOverwriteBase terms
    | _ -> false

/// A loop of fewer steps does not copy the right factors of its products: a copy costs about what five products gain by it.
[<Literal>]
let StepsWorthPacking = 8

/// The right factor of the product that an instruction computes, and whether it is transposed, where a copy of it in the
/// order in which products read it pays: it is a matrix among the first `still` inputs, which stay the same for many runs.
let sharedFactor (g: Graph) (still: int) (k: int) : struct (int * bool) voption =
    let shared a transA b transB =
        let left, right = g.Specs[a].Shape, g.Specs[b].Shape

        if b < still && right.Length = 2 && g.Specs[b].DType.IsFloat() then
            let columns = Array.last left
            let rows = if transA then columns else Shape.size left / max 1 columns
            // products with vectors go their own ways
            if rows > 1 && Array.min right > 1 && PackedMatrix.IsPossible(right, transB, g.Specs[b].DType) then
                ValueSome(struct (b, transB))
            else
                ValueNone
        else
            ValueNone

    match g.Instructions[k] with
    | Apply(MatMul(transA, transB), a, b, _) -> shared a transA b transB
    | Apply(Dense, a, b, _) -> shared a false b false
    | Apply _
    | ApplyMany _
    | Constant _ -> ValueNone
