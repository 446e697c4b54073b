/// Sizes of convolutions and pooling windows, and what can be wrong with them.
[<RequireQualifiedAccess>]
module internal Functional.Operations.Windows

open Functional

/// The most places along an axis of space with its padding, and the longest stride and dilation: the kernels add two of
/// them in 32 bits.
let private most = 1 <<< 30

/// Over how many places a window reaches: of window 3 and dilation 2 over 5.
let reach (window: int) (dilation: int) : int64 = (int64 window - 1L) * int64 dilation + 1L

/// How many windows fit: the size of one axis of the result.
let private count operation (axis: int) (size: int) (window: int) (stride: int) (dilation: int) (low: int) (high: int) =
    if window < 1 || stride < 1 || dilation < 1 then
        invalidShape
            operation
            $"window {window}, stride {stride} and dilation {dilation} along axis {axis} of space; all must be at least 1"

    if low < 0 || high < 0 then
        invalidShape
            operation
            $"padding of {low} and {high} along axis {axis} of space; to leave places out, slice the image first"

    let reach = reach window dilation
    let padded = int64 size + int64 low + int64 high

    if padded > int64 most || stride > most || dilation > most then
        invalidShape
            operation
            $"size {size} with padding {low} and {high}, stride {stride} and dilation {dilation} along axis {axis} of space; at most {most} places, and steps of as many, are possible"

    if reach > padded then
        let dilated =
            if dilation > 1 then
                $" (it reaches over {reach} with dilation {dilation})"
            else
                ""

        invalidShape
            operation
            $"the kernel of size {window}{dilated} is larger than the image of size {size} with padding {low} and {high}, along axis {axis} of space"

    (padded - reach) / int64 stride + 1L

let private space operation (x: int[]) (axes: int) =
    if axes < 1 || axes > 3 then
        invalidShape operation $"{axes} axes of space; there are one to three"

    if x.Length <> axes + 2 then
        invalidShape
            operation
            $"the image {x} has {x.Length} axes; with {axes} of space it needs {axes + 2}: [n, space.., channels]"

let private lengths operation (axes: int) (others: (string * int[]) list) =
    for name, values in others do
        if values.Length <> axes then
            invalidShape operation $"{values.Length} {name} for {axes} axes of space"

/// The shape of Conv's result.
let conv operation (c: Convolution) (x: int[]) (w: int[]) : int[] =
    let axes = c.Strides.Length
    space operation x axes
    lengths operation axes [ "dilations", c.Dilations; "low paddings", c.Low; "high paddings", c.High ]

    if w.Length <> axes + 2 then
        invalidShape
            operation
            $"the kernel {w} has {w.Length} axes; with {axes} of space it needs {axes + 2}: [window.., channels / groups, features]"

    let channels, features = x[axes + 1], w[axes + 1]

    if c.Groups < 1 || channels % c.Groups <> 0 || features % c.Groups <> 0 then
        invalidShape operation $"{channels} channels and {features} features cannot be divided into {c.Groups} groups"

    if int64 w[axes] * int64 c.Groups <> int64 channels then
        let each = if c.Groups > 1 then $" in {c.Groups} groups" else ""

        invalidShape
            operation
            $"the image has {channels} channels{each}, the kernel expects {w[axes]} (kernel {w}, image {x})"

    Array.init (axes + 2) (fun i ->
        if i = 0 then
            int64 x[0]
        elif i > axes then
            int64 features
        else
            count operation (i - 1) x[i] w[i - 1] c.Strides[i - 1] c.Dilations[i - 1] c.Low[i - 1] c.High[i - 1])
    |> Shape.ofSizes operation

/// The shape of ConvInput's result.
let convInput operation (c: Convolution) (size: int[]) (y: int[]) (w: int[]) : int[] =
    let axes = c.Strides.Length
    space operation y axes
    lengths operation axes [ "sizes", size ]

    if w.Length <> axes + 2 then
        invalidShape
            operation
            $"the kernel {w} has {w.Length} axes; with {axes} of space it needs {axes + 2}: [window.., channels / groups, features]"

    let x =
        Array.concat [ [| int64 y[0] |]; Array.map int64 size; [| int64 w[axes] * int64 c.Groups |] ]
        |> Shape.ofSizes operation

    let expected = conv operation c x w

    if not (Shape.same expected y) then
        invalidShape operation $"an image {x} and a kernel {w} belong to {expected}, not to {y}"

    x

/// The shape of ConvKernel's result.
let convKernel operation (c: Convolution) (window: int[]) (x: int[]) (y: int[]) : int[] =
    let axes = c.Strides.Length
    space operation x axes
    space operation y axes
    lengths operation axes [ "sizes", window ]
    let w = Array.append window [| x[axes + 1] / max 1 c.Groups; y[axes + 1] |] |> Shape.possible operation
    let expected = conv operation c x w

    if not (Shape.same expected y) then
        invalidShape operation $"an image {x} and a kernel {w} belong to {expected}, not to {y}"

    w

/// The shape of MaxPool's result.
let pool operation (w: Window) (x: int[]) : int[] =
    let axes = w.Size.Length
    space operation x axes

    lengths operation axes [
        "strides", w.Strides
        "dilations", w.Dilations
        "low paddings", w.Low
        "high paddings", w.High
    ]

    Array.init (axes + 2) (fun i ->
        if i = 0 || i > axes then
            int64 x[i]
        else
            let k = i - 1
            let n = count operation k x[i] w.Size[k] w.Strides[k] w.Dilations[k] w.Low[k] w.High[k]
            let reach = reach w.Size[k] w.Dilations[k]

            if int64 (max w.Low[k] w.High[k]) >= reach then
                invalidShape
                    operation
                    $"padding of {w.Low[k]} and {w.High[k]} along axis {k} of space: a window of {reach} would lie in the padding altogether"

            n)
    |> Shape.ofSizes operation
