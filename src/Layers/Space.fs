namespace Functional

// Images [n, space.., channels] made larger or smaller, without parameters.

[<AutoOpen>]
module SpaceFunctions =

    let private axes operation (given: int) (x: Tensor) =
        if x.Rank <> given + 2 then
            invalidShape
                operation
                $"numbers for {given} axes of space, the image {x.Shape} has {x.Rank} axes; [n, space.., channels] are needed"

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
        let lengths = Array.init x.Rank (fun i -> int64 x.Shape[i] - int64 low[i] - int64 high[i])

        if
            Array.exists (fun n -> n < 0) (Array.append low high)
            || Array.exists2 (fun n size -> n < int64 (min 1 size)) lengths x.Shape
        then
            invalidArg "widths" $"cropping: %A{widths} leaves nothing of {Shape.show x.Shape}"

        slice low (Array.map int lengths) (Array.create x.Rank 1) x

    /// Each of the places between two has an operation of its own where it is interpolated.
    let private mostBetween = 4096

    let internal checkFactors operation (factors: int list) =
        if List.exists (fun n -> n < 1) factors then
            invalidArg "factors" $"{operation}: %A{factors}; every factor must be at least 1"

        if operation = "bilinearUpSampling" && List.exists (fun n -> n > mostBetween) factors then
            invalidArg
                "factors"
                $"{operation}: %A{factors}; factors up to {mostBetween} are interpolated: do it in two steps"

    /// Every place repeated along every axis of space. Example: `upSampling [ 2; 2 ] x`.
    let upSampling (factors: int list) (x: Tensor) : Tensor =
        axes "upSampling" factors.Length x
        checkFactors "upSampling" factors

        let channels = x.Shape[x.Rank - 1]
        let space = factors |> List.mapi (fun i factor -> x.Shape[i + 1], factor)

        let target =
            [|
                int64 x.Shape[0]
                for n, factor in space do
                    int64 n * int64 factor
                int64 channels
            |]
            |> Shape.ofSizes "upSampling"

        let apart f = [ x.Shape[0]; yield! List.collect f space; channels ]

        if Array.contains 0 target then
            reshape target x
        else
            x
            |> reshape (apart (fun (n, _) -> [ n; 1 ]))
            |> broadcastTo (apart (fun (n, factor) -> [ n; factor ]))
            |> reshape target

    /// One axis, factor times as long. A new place lies (place + ½)/factor − ½ along the old ones, and is the mean of the two
    /// around it by their distance; beyond the last there is the last again.
    let private interpolate (axis: int) (factor: int) (x: Tensor) : Tensor =
        let length = x.Shape[axis]

        if factor = 1 || length = 0 then
            x
        else
            let part from count = narrow axis from count x
            let before = concat axis [ part 0 1; part 0 (length - 1) ]
            let behind = concat axis [ part 1 (length - 1); part (length - 1) 1 ]

            let phase i =
                let away = (float i + 0.5) / float factor - 0.5

                if away < 0.0 then x * (1.0 + away) - before * away
                elif away > 0.0 then x * (1.0 - away) + behind * away
                else x

            let shape =
                x.Shape
                |> Array.mapi (fun i n ->
                    if i = axis then
                        Shape.times "bilinearUpSampling" "places along an axis" n factor
                    else
                        n)

            stack (axis + 1) (List.init factor phase) |> reshape shape

    /// As `upSampling`, with what lies between places interpolated; places are squares, whose centres are where their values
    /// are. Example: `bilinearUpSampling [ 2; 2 ] x`.
    let bilinearUpSampling (factors: int list) (x: Tensor) : Tensor =
        axes "bilinearUpSampling" factors.Length x
        checkFactors "bilinearUpSampling" factors
        List.fold (fun x (i, factor) -> interpolate (i + 1) factor x) x (List.indexed factors)
