namespace Functional

// Images [n, space.., channels] made larger or smaller, without parameters.

[<AutoOpen>]
module SpaceFunctions =

    let private axes operation (given: int) (x: Tensor) =
        if x.Rank <> given + 2 then
            invalidArg
                "x"
                $"{operation}: numbers for {given} axes of space, the image {Shape.show x.Shape} has {x.Rank} axes; [n, space.., channels] are needed"

    /// Zeros before and behind along every axis of space. Example: `zeroPadding [ 1, 1; 2, 0 ] x`.
    let zeroPadding (widths: (int * int) list) (x: Tensor) : Tensor =
        axes "zeroPadding" widths.Length x

        for low, high in widths do
            if low < 0 || high < 0 then
                invalidArg "widths" $"zeroPadding: %A{widths}; to take places away, use cropping"

        pad [ 0, 0; yield! widths; 0, 0 ] x

    /// Places taken away at the begin and the end of every axis of space. Example: `cropping [ 1, 1; 2, 0 ] x`.
    let cropping (widths: (int * int) list) (x: Tensor) : Tensor =
        axes "cropping" widths.Length x
        let low = [| 0; yield! List.map fst widths; 0 |]
        let high = [| 0; yield! List.map snd widths; 0 |]
        let lengths = Array.init x.Rank (fun i -> x.Shape[i] - low[i] - high[i])

        if
            Array.exists (fun n -> n < 0) (Array.append low high)
            || Array.exists2 (fun n size -> n < min 1 size) lengths x.Shape
        then
            invalidArg "widths" $"cropping: %A{widths} leaves nothing of {Shape.show x.Shape}"

        slice low lengths (Array.create x.Rank 1) x

    /// Every place repeated along every axis of space. Example: `upSampling [ 2; 2 ] x`.
    let upSampling (factors: int list) (x: Tensor) : Tensor =
        axes "upSampling" factors.Length x

        if List.exists (fun n -> n < 1) factors then
            invalidArg "factors" $"upSampling: %A{factors}; every factor must be at least 1"

        let channels = x.Shape[x.Rank - 1]

        let each f = [
            for i, factor in List.indexed factors do
                yield! f x.Shape[i + 1] factor
        ]

        x
        |> reshape [ x.Shape[0]; yield! each (fun n _ -> [ n; 1 ]); channels ]
        |> broadcastTo [ x.Shape[0]; yield! each (fun n factor -> [ n; factor ]); channels ]
        |> reshape [ x.Shape[0]; yield! each (fun n factor -> [ n * factor ]); channels ]
