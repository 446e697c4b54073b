namespace Functional

/// What stands around an image while a window moves over it. Zeros for a convolution; for a maximum or an average nothing
/// that counts.
[<RequireQualifiedAccess>]
type Padding =
    /// Nothing: the window stays inside the image.
    | Valid
    /// As much as makes the result as large as the image (divided by the stride, rounded up); if odd, one more at the end.
    | Same
    /// As much before the image as lets a window see nothing that comes after its place; for sequences.
    | Causal
    /// So much before and behind along every axis of space. Example: `Padding.Explicit [ 1, 1; 2, 0 ]`.
    | Explicit of (int * int) list

/// Where windows lie along the axes of space: common to convolution and pooling.
[<RequireQualifiedAccess>]
module internal WindowPlace =

    /// One number for every axis; none given stands for a default, one for all.
    let perAxis operation what axes (standard: int -> int) (given: int list) : int[] =
        match given with
        | [] -> Array.init axes standard
        | [ one ] -> Array.create axes one
        | some when some.Length = axes -> Array.ofList some
        | some -> invalidArg what $"{operation}: {some.Length} {what} for {axes} axes of space"

    let private at operation (what: string) least (values: int[]) =
        for v in values do
            if v < least then
                invalidArg what $"{operation}: {what} of {v}; at least {least} is needed"

    let checkSteps operation (strides: int[]) (dilations: int[]) =
        at operation "strides" 1 strides
        at operation "dilations" 1 dilations

    /// How far windows reach out of an image: before it and behind it.
    let padding
        operation
        (padding: Padding)
        (space: int[])
        (size: int[])
        (strides: int[])
        (dilations: int[])
        : int[] * int[] =
        let axes = space.Length
        at operation "sizes" 1 size
        let reach i = Operations.Windows.reach size[i] dilations[i]
        let width (n: int64) = Shape.ofSize operation "places of padding" n

        match padding with
        | Padding.Valid -> Array.zeroCreate axes, Array.zeroCreate axes
        | Padding.Same ->
            let total i =
                let size, stride = int64 space[i], int64 strides[i]
                let windows = (size + stride - 1L) / stride
                width (max 0L ((windows - 1L) * stride + reach i - size))

            Array.init axes (fun i -> total i / 2), Array.init axes (fun i -> total i - total i / 2)
        | Padding.Causal -> Array.init axes (fun i -> width (reach i - 1L)), Array.zeroCreate axes
        | Padding.Explicit pairs when pairs.Length = axes -> pairs |> Array.ofList |> Array.unzip
        | Padding.Explicit pairs ->
            invalidArg "padding" $"{operation}: {pairs.Length} pairs of paddings for {axes} axes of space"

    /// The axes of space of an image [n, space.., channels].
    let space operation (x: Tensor) : int[] =
        if x.Rank < 3 || x.Rank > 5 then
            invalidShape
                operation
                $"the image {x.Shape} has {x.Rank} axes; it needs [n, space.., channels] with one to three axes of space"

        x.Shape[1 .. x.Rank - 2]
