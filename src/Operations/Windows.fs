/// Sizes of convolutions and pooling windows, and what can be wrong with them.
[<RequireQualifiedAccess>]
module internal Functional.Operations.Windows

open Functional

let private fail operation message = invalidArg "shape" $"{operation}: {message}"

/// How many windows fit: the size of one axis of the result.
let private count operation (axis: int) size window stride dilation low high =
    let reach = (window - 1) * dilation + 1

    if window < 1 || stride < 1 || dilation < 1 then
        fail
            operation
            $"window {window}, stride {stride} and dilation {dilation} along axis {axis} of space; all must be at least 1"

    if low < 0 || high < 0 then
        fail
            operation
            $"padding of {low} and {high} along axis {axis} of space; to leave places out, slice the image first"

    if reach > size + low + high then
        let dilated =
            if dilation > 1 then
                $" (it reaches over {reach} with dilation {dilation})"
            else
                ""

        fail
            operation
            $"the kernel of size {window}{dilated} is larger than the image of size {size} with padding {low} and {high}, along axis {axis} of space"

    (size + low + high - reach) / stride + 1

let private space operation (x: int[]) (axes: int) =
    if axes < 1 || axes > 3 then
        fail operation $"{axes} axes of space; there are one to three"

    if x.Length <> axes + 2 then
        fail
            operation
            $"the image {Shape.show x} has {x.Length} axes; with {axes} of space it needs {axes + 2}: [n, space.., channels]"

let private lengths operation (axes: int) (others: (string * int[]) list) =
    for name, values in others do
        if values.Length <> axes then
            fail operation $"{values.Length} {name} for {axes} axes of space"

/// The shape of Conv's result.
let conv operation (c: Convolution) (x: int[]) (w: int[]) : int[] =
    let axes = c.Strides.Length
    space operation x axes
    lengths operation axes [ "dilations", c.Dilations; "low paddings", c.Low; "high paddings", c.High ]

    if w.Length <> axes + 2 then
        fail
            operation
            $"the kernel {Shape.show w} has {w.Length} axes; with {axes} of space it needs {axes + 2}: [window.., channels / groups, features]"

    let channels, features = x[axes + 1], w[axes + 1]

    if c.Groups < 1 || channels % c.Groups <> 0 || features % c.Groups <> 0 then
        fail operation $"{channels} channels and {features} features cannot be divided into {c.Groups} groups"

    if w[axes] * c.Groups <> channels then
        let each = if c.Groups > 1 then $" in {c.Groups} groups" else ""

        fail
            operation
            $"the image has {channels} channels{each}, the kernel expects {w[axes]} (kernel {Shape.show w}, image {Shape.show x})"

    Array.init (axes + 2) (fun i ->
        if i = 0 then
            x[0]
        elif i > axes then
            features
        else
            count operation (i - 1) x[i] w[i - 1] c.Strides[i - 1] c.Dilations[i - 1] c.Low[i - 1] c.High[i - 1])

/// The shape of ConvInput's result.
let convInput operation (c: Convolution) (size: int[]) (y: int[]) (w: int[]) : int[] =
    let axes = c.Strides.Length
    space operation y axes
    lengths operation axes [ "sizes", size ]

    if w.Length <> axes + 2 then
        fail
            operation
            $"the kernel {Shape.show w} has {w.Length} axes; with {axes} of space it needs {axes + 2}: [window.., channels / groups, features]"

    let x = Array.concat [ [| y[0] |]; size; [| w[axes] * c.Groups |] ]
    let expected = conv operation c x w

    if not (Shape.same expected y) then
        fail
            operation
            $"an image {Shape.show x} and a kernel {Shape.show w} belong to {Shape.show expected}, not to {Shape.show y}"

    x

/// The shape of ConvKernel's result.
let convKernel operation (c: Convolution) (window: int[]) (x: int[]) (y: int[]) : int[] =
    let axes = c.Strides.Length
    space operation x axes
    space operation y axes
    lengths operation axes [ "sizes", window ]
    let w = Array.append window [| x[axes + 1] / max 1 c.Groups; y[axes + 1] |]
    let expected = conv operation c x w

    if not (Shape.same expected y) then
        fail
            operation
            $"an image {Shape.show x} and a kernel {Shape.show w} belong to {Shape.show expected}, not to {Shape.show y}"

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
            x[i]
        else
            let k = i - 1
            let n = count operation k x[i] w.Size[k] w.Strides[k] w.Dilations[k] w.Low[k] w.High[k]
            let reach = (w.Size[k] - 1) * w.Dilations[k] + 1

            if max w.Low[k] w.High[k] >= reach then
                fail
                    operation
                    $"padding of {w.Low[k]} and {w.High[k]} along axis {k} of space: a window of {reach} would lie in the padding altogether"

            n)
