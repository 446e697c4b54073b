/// Convolutions over a batch. Images of a batch are more examples; kernels of a batch are more features or channels of one
/// convolution, or, where both differ between the examples of a batch, groups that do not see each other.
[<RequireQualifiedAccess>]
module internal Functional.Levels.BatchConvolution

open Functional
open Functional.Operations

/// Two leading axes as one.
let private joined (x: Tensor) = reshape (Array.append [| x.Shape[0] * x.Shape[1] |] x.Shape[2..]) x

/// The first axis cut into two again.
let private parted size (x: Tensor) = reshape (Array.concat [ [| size; x.Shape[0] / size |]; x.Shape[1..] ]) x

/// The first axis moved before axis `place` of the others, with that one and those behind it.
let private inward place (x: Tensor) =
    permute (Array.concat [ [| 1..place |]; [| 0 |]; [| place + 1 .. x.Rank - 1 |] ]) x

let private outward place (x: Tensor) =
    permute (Array.concat [ [| place |]; [| 0 .. place - 1 |]; [| place + 1 .. x.Rank - 1 |] ]) x

/// The last axis cut in two.
let private cut first (x: Tensor) =
    let last = x.Rank - 1
    reshape (Array.append x.Shape[.. last - 1] [| first; x.Shape[last] / max 1 first |]) x

/// The last axes as one, `count` of them.
let private merged count (x: Tensor) =
    let kept = x.Rank - count
    reshape (Array.append x.Shape[.. kept - 1] [| Shape.size x.Shape[kept..] |]) x

/// The batch axis joins the last axis: [size, .., n] gives [.., size·n].
let private beside (x: Tensor) = x |> inward (x.Rank - 2) |> merged 2
let private apart size (x: Tensor) = x |> cut size |> outward (x.Rank - 1)

/// The same with the batch inside each group: [size, .., groups·n] gives [.., groups·size·n].
let private within groups (x: Tensor) = x |> cut groups |> inward (x.Rank - 1) |> merged 3

let private withoutGroups groups size (x: Tensor) =
    let y = x |> cut groups |> cut size
    y |> outward (y.Rank - 2) |> merged 2

/// The batch axis joins a kernel's channels: [size, window.., channels, features] gives [window.., size·channels, features].
let private channels (w: Tensor) =
    let w = inward (w.Rank - 3) w
    let r = w.Rank
    reshape (Array.append w.Shape[.. r - 4] [| w.Shape[r - 3] * w.Shape[r - 2]; w.Shape[r - 1] |]) w

let private ofChannels size (w: Tensor) =
    let r = w.Rank

    reshape (Array.append w.Shape[.. r - 3] [| size; w.Shape[r - 2] / size; w.Shape[r - 1] |]) w
    |> outward (r - 2)

let private wide (c: Convolution) size = { c with Groups = c.Groups * size }

/// Results with the batch axis in front; at least one of the operands has it.
let conv (c: Convolution) size (x: Tensor) isX (w: Tensor) isW : Tensor =
    if not isW then
        Tensor.Bind(Conv c, joined x, w) |> parted size
    elif not isX then
        Tensor.Bind(Conv c, x, within c.Groups w) |> withoutGroups c.Groups size
    else
        Tensor.Bind(Conv(wide c size), beside x, beside w) |> apart size

let convInput (c: Convolution) space size (y: Tensor) isY (w: Tensor) isW : Tensor =
    if not isW then
        Tensor.Bind(ConvInput(c, space), joined y, w) |> parted size
    elif not isY then
        Tensor.Bind(ConvInput(c, space), y, channels w) |> withoutGroups c.Groups size
    else
        Tensor.Bind(ConvInput(wide c size, space), beside y, beside w) |> apart size

let convKernel (c: Convolution) window size (x: Tensor) isX (y: Tensor) isY : Tensor =
    if not isY then
        Tensor.Bind(ConvKernel(c, window), within c.Groups x, y) |> ofChannels size
    elif not isX then
        Tensor.Bind(ConvKernel(c, window), x, within c.Groups y) |> withoutGroups c.Groups size
    else
        Tensor.Bind(ConvKernel(wide c size, window), beside x, beside y) |> apart size

/// An operation on images alone.
let images (op: Op) size (x: Tensor) = Tensor.Bind(op, joined x) |> parted size

/// The same of two images, of one batch both.
let images2 (op: Op) size (a: Tensor) (b: Tensor) = Tensor.Bind(op, joined a, joined b) |> parted size
