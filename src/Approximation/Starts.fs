/// How networks begin: units spread over the box by what the function does there, outputs solved for.
module internal Functional.Starts

open System

let private matrix (rows: float[][]) : Tensor = Tensor.ofRows (Seq.map Seq.ofArray rows)

/// A unit's slope for features of a width, by what the activation does on the line.
let private steepness (kind: HiddenActivation) =
    match kind with
    | HiddenActivation.Sigmoid -> 2.0
    | HiddenActivation.Tanh
    | HiddenActivation.Gaussian
    | HiddenActivation.Relu -> 1.0
    | HiddenActivation.Sin -> 0.5 * Math.PI

/// Units on a line: centres where the density has them, as steep as their neighbours are close.
let private onLine (random: Random) kind number (grid: float[]) (cumulative: float[]) n =
    let centres = Sampling.quantiles grid cumulative n (fun _ -> 0.5 + 0.6 * (random.NextDouble() - 0.5))

    Array.init n (fun i ->
        let left = if i = 0 then -1.0 else centres[i - 1]
        let right = if i = n - 1 then 1.0 else centres[i + 1]
        let width = max 1e-4 (0.5 * (right - left))
        // every second start has units of all sizes up to that of the box, which do better on smooth functions
        let size =
            if number % 2 = 0 then
                (0.5 + random.NextDouble()) / width
            else
                (1.0 / width) ** random.NextDouble()

        let slope = steepness kind * size
        // half of the relus look the other way
        let slope = if kind = HiddenActivation.Relu && i % 2 = 1 then -slope else slope
        [| slope |], -slope * centres[i])

/// Units across a box: directions and places by chance, steeper where there are more.
let private across (random: Random) kind number d n =
    let normal () = sqrt (-2.0 * log (1.0 - random.NextDouble())) * cos (2.0 * Math.PI * random.NextDouble())

    Array.init n (fun _ ->
        let direction = Array.init d (fun _ -> normal ())
        let length = sqrt (Array.sumBy (fun x -> x * x) direction)
        let many = if number % 2 = 0 then max 1.0 (float n ** (1.0 / float d) / 3.0) else 1.0
        let steep = steepness kind * (0.4 + 1.2 * random.NextDouble()) * many
        let w = direction |> Array.map (fun x -> steep * x / length)
        w, -Array.sumBy (fun x -> x * (2.0 * random.NextDouble() - 1.0)) w)

/// Damping of least squares that only keeps them from dividing by zero.
let exactly = 1e-15

/// A network with the output layer that fits weighted values best, by the QR factors of what the hidden layers make. They
/// are ill-conditioned by nature (flat units are nearly polynomials), and that is where the precision comes from.
let solved kind (damping: float) (net: ApproximationNetwork) (x: Tensor, y: Tensor, w: Tensor) : ApproximationNetwork =
    let n = net.Output.Weights.Shape[0]
    let identity = { Weights = Tensor.eye DType.Float64 n; Bias = None }
    let h = forward kind { net with Output = identity } x
    let h = w * concat 1 [ h; Tensor.ones [ h.Shape[0]; 1 ] ]
    // rows that keep units alike from dividing by zero, and the weights small where that is wanted
    let tiny = damping * Tensor.toFloat (norm h) * Tensor.eye DType.Float64 (n + 1)
    let q, r = LinearAlgebra.qr (concat 0 [ h; tiny ])
    let right = concat 0 [ w * y; Tensor.zeros [ n + 1; y.Shape[1] ] ]
    let a = LinearAlgebra.triangularSolve false r (transpose q *@ right)

    {
        net with
            Output = { Weights = narrow 0 0 n a; Bias = Some(narrow 0 n 1 a |> squeeze [ 0 ]) }
    }

/// A network of a width and depth for a start, counted from 0. `cumulative` is the density of units on a line.
let make (random: Random) kind depth n number (grid: float[][]) (cumulative: float[]) (x: Tensor) (y: Tensor) =
    let d = x.Shape[1]

    let weights, biases =
        (if d = 1 then
             onLine random kind number (Array.map Array.head grid) cumulative n
         else
             across random kind number d n)
        |> Array.unzip

    let first = { Weights = transpose (matrix weights); Bias = Some(Tensor.ofSeq biases) }

    let deeper = [
        for _ in 2..depth ->
            Dense.initWith { Dense.defaults with DType = DType.Float64 } (Key.create (int64 (random.Next()))) n n
    ]

    let blank = { Weights = Tensor.zeros [ n; y.Shape[1] ]; Bias = None }
    // across a box the minimiser does not like large weights that nearly cancel
    let damping = if d = 1 then exactly else 3e-5
    solved kind damping { Hidden = first :: deeper; Output = blank } (x, y, Tensor.ones [ x.Shape[0]; 1 ])
