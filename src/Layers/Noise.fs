namespace Functional

// What disturbs while learning and does nothing else: functions of a key.

[<AutoOpen>]
module NoiseFunctions =

    let internal checkRate name (rate: float) =
        if not (rate >= 0.0 && rate < 1.0) then
            invalidArg "rate" $"{name}: the fraction dropped lies in [0, 1); {rate} was given"

    /// A fraction of the elements set to 0, the others scaled up so that the expected sum stays the same; elements that share
    /// a place of `shape`, which broadcasts to that of x, are dropped together. Srivastava et al., "Dropout" (2014).
    let dropoutOver (shape: int[]) (rate: float) (key: Tensor) (x: Tensor) : Tensor =
        checkRate "dropout" rate

        if rate = 0.0 then
            x
        else
            let kept = Random.bernoulli (1.0 - rate) shape key
            x * (cast x.DType kept * (1.0 / (1.0 - rate)))

    /// A fraction of the elements set to 0, the others scaled up so that the expected sum stays the same.
    let dropout (rate: float) (key: Tensor) (x: Tensor) : Tensor = dropoutOver x.Shape rate key x

    /// Whole channels of x [n, space.., channels] dropped. Tompson et al., "Efficient object localization" (2015).
    let spatialDropout (rate: float) (key: Tensor) (x: Tensor) : Tensor =
        if x.Rank < 3 then
            invalidShape "spatialDropout" $"needs [n, space.., channels], got {x.Shape}"

        dropoutOver (Array.init x.Rank (fun i -> if i = 0 || i = x.Rank - 1 then x.Shape[i] else 1)) rate key x

    /// Normal noise of a standard deviation added.
    let gaussianNoise (deviation: float) (key: Tensor) (x: Tensor) : Tensor =
        x + deviation * Random.normal x.DType x.Shape key

    /// Normal noise multiplied in: of mean 1 and the variance rate / (1 − rate) that dropout has. Srivastava et al. (2014).
    let gaussianDropout (rate: float) (key: Tensor) (x: Tensor) : Tensor =
        checkRate "gaussianDropout" rate
        x * (1.0 + sqrt (rate / (1.0 - rate)) * Random.normal x.DType x.Shape key)
