namespace Functional

// Convolutions of images that lie channels last: [n, length, channels], [n, height, width, channels] or
// [n, depth, height, width, channels]; the number of axes says which.

open Functional.Operations

/// How a kernel moves over an image. Lists have an entry for every axis of space; one entry stands for all of them, none
/// for 1. Example: `{ ConvOptions.defaults with Strides = [ 2 ]; Padding = Padding.Same }`.
type ConvOptions = {
    /// How far the kernel moves.
    Strides: int list
    Padding: Padding
    /// How far the kernel's places lie apart.
    Dilations: int list
    /// Into how many groups channels and features are divided; features see their own group's channels.
    Groups: int
}

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module ConvOptions =

    /// Stride 1, no padding, no dilation, one group.
    let defaults: ConvOptions = { Strides = []; Padding = Padding.Valid; Dilations = []; Groups = 1 }

    /// The same with padding that keeps the image's size.
    let same: ConvOptions = { defaults with Padding = Padding.Same }

    let private steps operation axes (options: ConvOptions) =
        let strides = WindowPlace.perAxis operation "strides" axes (fun _ -> 1) options.Strides
        let dilations = WindowPlace.perAxis operation "dilations" axes (fun _ -> 1) options.Dilations
        WindowPlace.checkSteps operation strides dilations
        strides, dilations

    /// The operation for an image's space and a kernel's window.
    let internal place operation (options: ConvOptions) (space: int[]) (window: int[]) : Convolution =
        let strides, dilations = steps operation space.Length options
        let low, high = WindowPlace.padding operation options.Padding space window strides dilations

        {
            Strides = strides
            Dilations = dilations
            Low = low
            High = high
            Groups = options.Groups
        }

    let private window operation (x: Tensor) (kernel: Tensor) =
        if kernel.Rank <> x.Rank then
            invalidShape
                operation
                $"the kernel {kernel.Shape} for images {x.Shape}; it needs {x.Rank} axes: [window.., channels / groups, features]"

        kernel.Shape[.. kernel.Rank - 3]

    /// The shape of a convolution's result, without the batch axis: for examples [space.., channels] and a kernel's window.
    let outputShape (options: ConvOptions) (window: int list) (features: int) (example: int[]) : int[] =
        let size = Array.ofList window

        if example.Length <> size.Length + 1 then
            invalidShape
                "conv"
                $"an example of shape {example}; {size.Length} axes of space and one of channels are needed"

        let c = place "conv" options example[.. size.Length - 1] size
        let kernel = Array.append size [| example[size.Length] / max 1 options.Groups; features |]
        (Windows.conv "conv" c (Array.append [| 1 |] example) kernel)[1..]

    let internal apply (options: ConvOptions) (kernel: Tensor) (bias: Tensor option) (x: Tensor) : Tensor =
        let c = place "conv" options (WindowPlace.space "conv" x) (window "conv" x kernel)

        match bias with
        | None -> Tensor.Bind(Conv c, x, kernel)
        | Some b -> Tensor.Bind(ConvBias c, x, kernel, b)

    /// Sizes that a transposed convolution has when none are asked for: those of which the convolution makes the image.
    let internal transposedSpace (options: ConvOptions) (space: int[]) (size: int[]) : int[] =
        let strides, dilations = steps "convTranspose" space.Length options

        Array.init space.Length (fun i ->
            let places, stride = int64 space[i], int64 strides[i]
            let reach = (int64 size[i] - 1L) * int64 dilations[i] + 1L

            match options.Padding with
            | Padding.Valid -> places * stride + max 0L (reach - stride)
            | Padding.Same -> places * stride
            | Padding.Causal -> (places - 1L) * stride + 1L
            | Padding.Explicit pairs when pairs.Length = space.Length ->
                let low, high = pairs[i]
                (places - 1L) * stride + reach - int64 low - int64 high
            | Padding.Explicit pairs ->
                invalidArg
                    "padding"
                    $"convTranspose: {pairs.Length} pairs of paddings for {space.Length} axes of space")
        |> Shape.ofSizes "convTranspose"

    /// The transpose, to a space of given sizes.
    let internal applyTransposed (options: ConvOptions) (target: int[] option) (kernel: Tensor) (x: Tensor) : Tensor =
        let space = WindowPlace.space "convTranspose" x
        let size = window "convTranspose" x kernel
        let target = target |> Option.defaultWith (fun () -> transposedSpace options space size)

        if target |> Array.exists (fun n -> n < 1) then
            invalidShape "convTranspose" $"images {x.Shape} with a kernel {kernel.Shape} leave nothing: {target}"

        Tensor.Bind(ConvInput(place "convTranspose" options target size, target), x, kernel)

[<AutoOpen>]
module ConvolutionFunctions =

    /// The convolution of images x [n, space.., channels] with a kernel [window.., channels / groups, features], as in
    /// networks: y[n, o, f] = Σ x[n, o·stride + k·dilation, c]·kernel[k, c, f], without turning the kernel round.
    /// Example: `x |> conv { ConvOptions.defaults with Strides = [ 2 ] } kernel` over height and width with a kernel 3×3×1×32.
    let conv (options: ConvOptions) (kernel: Tensor) (x: Tensor) : Tensor = ConvOptions.apply options kernel None x

    /// The same with a bias [features] added in one pass.
    let convBias (options: ConvOptions) (kernel: Tensor) (bias: Tensor) (x: Tensor) : Tensor =
        ConvOptions.apply options kernel (Some bias) x

    /// The transpose of the convolution with the same kernel and options: x [n, space.., features] goes to
    /// [n, larger space.., channels], the kernel being [window.., channels / groups, features]. Its space is Keras': times
    /// the stride, and without padding what of the kernel reaches beyond.
    let convTranspose (options: ConvOptions) (kernel: Tensor) (x: Tensor) : Tensor =
        ConvOptions.applyTransposed options None kernel x

    /// The same to a space of given sizes, which the convolution must take back to the space of x.
    let convTransposeTo (space: int list) (options: ConvOptions) (kernel: Tensor) (x: Tensor) : Tensor =
        ConvOptions.applyTransposed options (Some(Array.ofList space)) kernel x

    /// Every channel by itself: a kernel [window.., channels, multiplier] gives `multiplier` features of each channel, side
    /// by side.
    let depthwiseConv (options: ConvOptions) (kernel: Tensor) (x: Tensor) : Tensor =
        let r = kernel.Rank

        if r < 3 || kernel.Shape[r - 2] <> x.Shape[x.Rank - 1] then
            invalidShape
                "depthwiseConv"
                $"a kernel {kernel.Shape} for images {x.Shape}; it needs [window.., channels, multiplier]"

        let channels, multiplier = kernel.Shape[r - 2], kernel.Shape[r - 1]
        let grouped = reshape (Array.append kernel.Shape[.. r - 3] [| 1; channels * multiplier |]) kernel
        conv { options with Groups = channels } grouped x

    /// [n, channels, space..] as [n, space.., channels].
    let channelsLast (x: Tensor) : Tensor = permute [ 0; yield! [ 2 .. x.Rank - 1 ]; 1 ] x

    /// [n, space.., channels] as [n, channels, space..].
    let channelsFirst (x: Tensor) : Tensor = permute [ 0; x.Rank - 1; yield! [ 1 .. x.Rank - 2 ] ] x
