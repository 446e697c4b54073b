namespace Functional

// Pooling of images that lie channels last, [n, space.., channels].

open Functional.Operations

/// How a pooling window moves over an image. Lists have an entry for every axis of space; one entry stands for all of them.
/// Example: `{ Pool.window [ 3 ] with Strides = [ 2 ] }`.
type PoolOptions = {
    /// The window's size.
    Size: int list
    /// How far it moves; none stands for the window's size.
    Strides: int list
    Padding: Padding
    /// How far its places lie apart; none stands for 1.
    Dilations: int list
    /// Whether an average divides by the window's whole size where part of it lies in the padding; Keras does not.
    CountPadding: bool
}

[<RequireQualifiedAccess>]
module Pool =

    /// Windows side by side, without padding.
    let window (size: int list) : PoolOptions = {
        Size = size
        Strides = []
        Padding = Padding.Valid
        Dilations = []
        CountPadding = false
    }

    /// The operation for an image's space.
    let internal place operation (options: PoolOptions) (space: int[]) : Window =
        let axes = space.Length
        let size = WindowPlace.perAxis operation "sizes" axes (fun _ -> 1) options.Size
        let strides = WindowPlace.perAxis operation "strides" axes (fun i -> size[i]) options.Strides
        let dilations = WindowPlace.perAxis operation "dilations" axes (fun _ -> 1) options.Dilations
        WindowPlace.checkSteps operation strides dilations
        let low, high = WindowPlace.padding operation options.Padding space size strides dilations

        {
            Size = size
            Strides = strides
            Dilations = dilations
            Low = low
            High = high
        }

    /// The shape of a pooling's result, without the batch axis: for examples [space.., channels].
    let outputShape (options: PoolOptions) (example: int[]) : int[] =
        if example.Length < 2 then
            invalidShape "pool" $"an example of shape {example}; it needs [space.., channels]"

        let w = place "pool" options example[.. example.Length - 2]
        (Windows.pool "pool" w (Array.append [| 1 |] example))[1..]

    /// Along one axis, how many of each window's places lie in the image.
    let private inside (w: Window) axis space =
        let size, stride, dilation = w.Size[axis], w.Strides[axis], w.Dilations[axis]
        // the operation has been asked for its shape before: all of this is less than 2³⁰
        let reach = int (Windows.reach size dilation)
        let windows = (space + w.Low[axis] + w.High[axis] - reach) / stride + 1

        Array.init windows (fun o ->
            // of the places from + k·dilation, k < size, those in [0, space)
            let from, dilation = int64 o * int64 w.Strides[axis] - int64 w.Low[axis], int64 w.Dilations[axis]
            let first = if from >= 0L then 0L else (dilation - 1L - from) / dilation
            let behind = if from >= int64 space then 0L else (int64 space - 1L - from) / dilation + 1L
            int (max 0L (min behind (int64 w.Size[axis]) - first)))

    /// The average is a convolution of every channel with equal weights.
    let internal average (options: PoolOptions) (x: Tensor) : Tensor =
        let space = WindowPlace.space "averagePool" x
        let w = place "averagePool" options space
        Windows.pool "averagePool" w x.Shape |> ignore
        let channels = x.Shape[x.Rank - 1]

        let c: Convolution = {
            Strides = w.Strides
            Dilations = w.Dilations
            Low = w.Low
            High = w.High
            Groups = max 1 channels
        }

        let sums weight = Tensor.Bind(Conv c, x, Tensor.full x.DType (Array.append w.Size [| 1; channels |]) weight)
        let padded = Array.exists (fun n -> n > 0) w.Low || Array.exists (fun n -> n > 0) w.High

        if options.CountPadding || not padded then
            sums (1.0 / (w.Size |> Array.fold (fun n size -> n * float size) 1.0))
        else
            // one factor for every axis of space, alike for all examples and channels
            let factor axis =
                let counts = inside w axis space[axis]
                let shape = Array.create x.Rank 1
                shape[axis + 1] <- counts.Length
                counts |> Array.map (fun n -> 1.0 / float (max 1 n)) |> Tensor.create shape |> cast x.DType

            let factors = Array.init space.Length factor
            sums 1.0 * Array.reduce (*) factors

[<AutoOpen>]
module PoolingFunctions =

    /// The maximum of every window of x [n, space.., channels], channel by channel. The derivative goes to the first maximum.
    /// Example: `x |> maxPool (Pool.window [ 2 ])`.
    let maxPool (options: PoolOptions) (x: Tensor) : Tensor =
        Tensor.Bind(MaxPool(Pool.place "maxPool" options (WindowPlace.space "maxPool" x)), x)

    /// The average of every window of x [n, space.., channels], channel by channel.
    let averagePool (options: PoolOptions) (x: Tensor) : Tensor = Pool.average options x

    let private spaceAxes operation (x: Tensor) = [ 1 .. (WindowPlace.space operation x).Length ]

    /// The maximum of every channel: [n, space.., channels] gives [n, channels]; equals share the derivative.
    let globalMaxPool (x: Tensor) : Tensor = maxOver (spaceAxes "globalMaxPool" x) x

    /// The average of every channel: [n, space.., channels] gives [n, channels].
    let globalAveragePool (x: Tensor) : Tensor = meanOver (spaceAxes "globalAveragePool" x) x
