/// Functions of matrices that are smooth where eigenvectors and singular vectors are not: each is held whole, with a
/// derivative that never divides by the distance of two eigenvalues, and so right, to any order, for repeated ones.
[<RequireQualifiedAccess>]
module Functional.MatrixFunction

open Functional.Operations
open Functional.Rules

let private symmetricPart (a: Tensor) = a * 0.5 + transpose a * 0.5

// ---- divided differences: f[x] = f(x), f[x, y, …] = (f[y, …] − f[x, …])/(y − x), and the limit where x = y

/// Gauss and Legendre's six points and weights on [0, 1].
let private quadrature =
    [|
        0.2386191860831969086, 0.4679139345726910473
        0.6612093864662645137, 0.3607615730481386076
        0.9324695142031520278, 0.1713244923791703450
    |]
    |> Array.collect (fun (x, w) -> [| 0.5 - 0.5 * x, 0.5 * w; 0.5 + 0.5 * x, 0.5 * w |])

/// The divided difference of an elementwise function at points whose shapes broadcast; `scale` is the size of the largest
/// of them. Near each other the difference of two values loses digits, and it is taken for the mean of the derivative
/// between the points (Hermite and Genocchi), provided that the two agree within those digits.
let rec private dividedDifference (f: Tensor -> Tensor) (scale: Tensor) (points: Tensor list) : Tensor =
    match points with
    | x :: y :: rest ->
        let g u = dividedDifference f scale (u :: rest)
        let gx, gy = g x, g y
        let size = maximum (abs gx) (abs gy)
        let distance = y - x + Tensor.zerosLike gx

        let mayLose =
            logicalAnd (lessEqual (abs distance) (scale * 0.05)) (lessEqual (abs (gy - gx)) (size * 0.1))

        let isEqual = equal distance (host distance 0.0)
        let quotient = (gy - gx) / where isEqual (host distance 1.0) distance
        // of other points the mean is not wanted, nor is the function to be asked between them
        let reach = where mayLose distance (host distance 0.0)
        let start = broadcastTo quotient.Shape (x + Tensor.zerosLike quotient)

        let mean =
            quadrature
            |> Array.map (fun (t, weight) ->
                let at = start + reach * t
                snd (jvp g at (Tensor.onesLike at)) * weight)
            |> Array.reduce (+)

        let epsilon = if x.DType = DType.Float32 then 1.2e-7 else 2.2e-16
        let agrees = lessEqual (abs ((mean - quotient) * distance)) (size * (1000.0 * epsilon))
        where (logicalAnd mayLose (logicalOr isEqual agrees)) mean quotient
    | [ x ] -> f x
    | [] -> invalidOp "internal: a divided difference of no points"

let rec private permutations (xs: 'T list) : 'T list list =
    match xs with
    | [] -> [ [] ]
    | _ ->
        xs
        |> List.mapi (fun i x -> permutations (List.removeAt i xs) |> List.map (fun rest -> x :: rest))
        |> List.concat

/// The derivative of f(a) along one symmetric matrix after another (Daleckii and Krein): in a's eigenvectors it is the sum
/// over chains of indices of the divided difference of their eigenvalues, times the directions' elements along the chain.
let private spectral (f: Tensor -> Tensor) (a: Tensor) (directions: Tensor list) : Tensor =
    let w, q = LinearAlgebra.symmetricEigen a
    let n, lead = w.Shape[w.Rank - 1], w.Shape[.. w.Rank - 2]
    let order = directions.Length
    // the chain's indices are the last axes; a value or a matrix lies along some of them
    let along (axes: int list) (x: Tensor) =
        reshape (Array.append lead (Array.init (order + 1) (fun i -> if List.contains i axes then n else 1))) x

    let inner = directions |> List.map (fun e -> transpose q *@ symmetricPart e *@ q)
    let scale = maxKeep [ -1 ] (abs w) |> reshape (Array.append lead (Array.create (order + 1) 1))
    let differences = dividedDifference f scale [ for i in 0..order -> along [ i ] w ]

    let chains =
        permutations inner
        |> List.map (fun es -> es |> List.mapi (fun i e -> along [ i; i + 1 ] e) |> List.reduce (*))
        |> List.reduce (+)

    let between = [ for i in 1 .. order - 1 -> lead.Length + i ]
    q *@ sumOver between (differences * chains) *@ transpose q

/// D^p f(a) along p directions. It is symmetric in them, and its product with one matrix more is the derivative of a number
/// along all p + 1 of them: so a cotangent takes the place of the direction whose cotangent is asked for.
[<Sealed>]
type private SpectralRule(f: Tensor -> Tensor) =
    inherit BothWaysRule("MatrixFunction.symmetric")

    member private r.Along(a: Tensor, directions: Tensor[]) : Tensor =
        Tensor.Bind(Custom r, Array.append [| a |] directions)[0]

    /// Linear in every direction, and one order more along a's own; null where it is not asked for.
    member private r.Sum(inputs: Tensor[], moves: Tensor[]) : Tensor =
        let a, directions = inputs[0], Array.tail inputs

        moves
        |> Array.mapi (fun i move ->
            if isNull move then null
            elif i = 0 then r.Along(a, Array.append directions [| move |])
            else r.Along(a, Array.updateAt (i - 1) move directions))
        |> Array.filter (isNull >> not)
        |> Array.reduce (+)

    override _.Infer inputs = [| inputs[0] |]

    override _.Apply inputs =
        match List.ofArray inputs with
        | [ a ] ->
            let w, q = LinearAlgebra.symmetricEigen a
            [| (q * expandDims -2 (f w)) *@ transpose q |]
        | a :: directions -> [| spectral f a directions |]
        | [] -> invalidOp "internal: a function of no matrix"

    override r.Tangents(inputs, _, tangents) = [| r.Sum(inputs, tangents) |]

    override r.Cotangents(inputs, _, cotangents) =
        inputs
        |> Array.mapi (fun i _ ->
            r.Sum(inputs, Array.init inputs.Length (fun k -> if k = i then cotangents[0] else null)))

/// f of a symmetric matrix, q·f(λ)·qᵀ by its eigenvalues and eigenvectors: a [.., n, n]. Its derivatives are right to any
/// order, also where eigenvalues coincide; order p takes memory for n^(p + 1) numbers. f is applied elementwise to tensors of
/// any shape and must be differentiable at the eigenvalues; what it closes over is a constant.
/// Example: `MatrixFunction.symmetric sqrt a`, the square root; `exp`, `log` and `rsqrt` likewise.
/// Example: `LinearAlgebra.trace (MatrixFunction.symmetric exp a)` is Σ exp λ, with its Hessian.
let symmetric (f: Tensor -> Tensor) (a: Tensor) : Tensor = Tensor.Bind(Custom(SpectralRule f), [| a |])[0]

/// a·x + x·a = c for x, given a and c.
[<Sealed>]
type private LyapunovRule() =
    inherit BothWaysRule("MatrixFunction.lyapunov")
    member private r.Solve(a: Tensor, c: Tensor) : Tensor = Tensor.Bind(Custom r, [| a; c |])[0]
    override _.Infer inputs = [| inputs[1] |]

    override _.Apply inputs =
        let w, q = LinearAlgebra.symmetricEigen inputs[0]
        let sums = expandDims -1 w + expandDims -2 w
        [| q *@ ((transpose q *@ inputs[1] *@ q) / sums) *@ transpose q |]

    override r.Tangents(inputs, results, tangents) =
        let a, x = inputs[0], results[0]

        let change =
            if isNull tangents[0] then
                tangents[1]
            else
                let da = symmetricPart tangents[0]
                let moved = da *@ x + x *@ da
                if isNull tangents[1] then -moved else tangents[1] - moved

        [| r.Solve(a, change) |]

    override r.Cotangents(inputs, results, cotangents) =
        let a, x = inputs[0], results[0]
        let y = r.Solve(a, cotangents[0])
        [| -(symmetricPart (y *@ transpose x + transpose x *@ y)); y |]

/// X with a·X + X·a = c, for a symmetric matrix a [.., n, n] of which no two eigenvalues add up to 0: Lyapunov's equation.
/// Its derivatives are right to any order.
let lyapunov (a: Tensor) (c: Tensor) : Tensor = Tensor.Bind(Custom(LyapunovRule()), [| a; c |])[0]

/// U·Vᵀ of a matrix that is not wider than high. With a = p·h, h symmetric, the tangent of p within its span is p·ω with
/// h·ω + ω·h = pᵀ·da − daᵀ·p; the map from da to it is its own transpose.
[<Sealed>]
type private PolarRule() =
    inherit BothWaysRule("MatrixFunction.polar")

    member private _.Along(a: Tensor, p: Tensor, e: Tensor) : Tensor =
        let h = symmetricPart (transpose p *@ a)
        let turned = transpose p *@ e
        let within = p *@ lyapunov h (turned - transpose turned)

        if a.Shape[a.Rank - 2] = a.Shape[a.Rank - 1] then
            within
        else
            within + transpose (LinearAlgebra.solveOrNaN h (transpose (e - p *@ turned)))

    override _.Infer inputs = inputs

    override _.Apply inputs =
        let u, _, vt = LinearAlgebra.svd inputs[0]
        [| u *@ vt |]

    override r.Tangents(inputs, results, tangents) = [| r.Along(inputs[0], results[0], tangents[0]) |]
    override r.Cotangents(inputs, results, cotangents) = [| r.Along(inputs[0], results[0], cotangents[0]) |]

/// The nearest matrix with orthonormal columns (rows, where a is wider than high): U·Vᵀ of the singular vectors, the polar
/// factor of a [.., m, n]. Its derivatives are right to any order where a has full rank, repeated singular values
/// included, and NaN elsewhere.
/// Example: `sum (a * MatrixFunction.polar a)` is the sum of the singular values.
let rec polar (a: Tensor) : Tensor =
    if a.Rank >= 2 && a.Shape[a.Rank - 2] < a.Shape[a.Rank - 1] then
        transpose (polar (transpose a))
    else
        Tensor.Bind(Custom(PolarRule()), [| a |])[0]

/// Of all X that make a·X − b least the smallest, given a and b: A⁺·b. G. Golub and V. Pereyra, "The differentiation of
/// pseudo-inverses" (1973).
[<Sealed>]
type private LeastSquaresRule(cutoff: float) =
    inherit BothWaysRule("MatrixFunction.lstsq")

    member private r.Solve(a: Tensor, b: Tensor) : Tensor = Tensor.Bind(Custom r, [| a; b |])[0]

    override _.Infer inputs = [|
        {
            inputs[1] with
                Shape = Array.updateAt (inputs[1].Shape.Length - 2) (Array.last inputs[0].Shape) inputs[1].Shape
        }
    |]

    override _.Apply inputs =
        let a, b = inputs[0], inputs[1]

        /// The solution by the factors of a matrix: left·diag(s)·right, the sides orthonormal.
        let by (left: Tensor) (s: Tensor) (right: Tensor) =
            let keep = greater s (maxKeep [ -1 ] s * cutoff)
            let inverse = where keep (reciprocal (where keep s (host s 1.0))) (host s 0.0)
            transpose right *@ (expandDims -1 inverse * (transpose left *@ b))

        if a.Shape[a.Rank - 2] >= a.Shape[a.Rank - 1] then
            let q, r = LinearAlgebra.qr a
            let u, s, vt = LinearAlgebra.svd r
            [| by (q *@ u) s vt |]
        else
            let q, r = LinearAlgebra.qr (transpose a)
            let u, s, vt = LinearAlgebra.svd r
            [| by (transpose vt) s (transpose (q *@ u)) |]

    override r.Tangents(inputs, results, tangents) =
        let a, b, x = inputs[0], inputs[1], results[0]
        let da, db = tangents[0], tangents[1]

        if isNull da then
            [| r.Solve(a, db) |]
        else
            let y = r.Solve(transpose a, transpose da *@ (b - a *@ x)) - da *@ x
            let outside = transpose da *@ r.Solve(transpose a, x)
            [| r.Solve(a, (if isNull db then y else y + db) - a *@ outside) + outside |]

    override r.Cotangents(inputs, results, cotangents) =
        let a, b, x = inputs[0], inputs[1], results[0]
        let g = cotangents[0]
        let y = r.Solve(transpose a, g)
        let outside = g - r.Solve(a, a *@ g)

        [|
            (b - a *@ x) *@ transpose (r.Solve(a, y)) + r.Solve(transpose a, x) *@ transpose outside
            - y *@ transpose x
            y
        |]

/// The X for which the squares of a·X − b have the least sum; of several the smallest, as of a matrix that has more columns
/// than rows or not full rank. a [.., m, n], b [.., m, k] or a vector [m], X [.., n, k] or [n]. Singular values of a up to
/// `cutoff` times the largest count as 0: 1e-13 leaves out what is rounding, more makes the solution less sensitive to
/// errors of b. By QR and singular values; the derivatives are right to any order where the number of values above the
/// cut-off does not change.
/// Example: `MatrixFunction.lstsq 1e-13 (Tensor.ofRows [ [ 1.0; 0.0 ]; [ 1.0; 1.0 ]; [ 1.0; 2.0 ] ]) (Tensor.ofSeq [ 1.0; 3.0; 5.0 ])`
/// is [1 2], the straight line through three points.
let lstsq (cutoff: float) (a: Tensor) (b: Tensor) : Tensor =
    if not (cutoff >= 0.0 && cutoff < 1.0) then
        invalidArg "cutoff" $"lstsq: the cut-off is a share of the largest singular value, from 0 up to 1; got {cutoff}"

    let agrees =
        a.Rank >= 2 && b.Rank >= 1 && b.Shape[if b.Rank = 1 then 0 else b.Rank - 2] = a.Shape[a.Rank - 2]

    if not agrees then
        invalidShape
            "lstsq"
            $"a matrix [.., m, n] needs right-hand sides [m] or [.., m, k], got {Shape.show a.Shape} and {Shape.show b.Shape}"

    let matrix = if b.Rank = 1 then expandDims -1 b else b
    let lead = Shape.broadcast "lstsq" a.Shape[.. a.Rank - 3] matrix.Shape[.. matrix.Rank - 3]
    let spread (t: Tensor) = broadcastTo (Array.append lead t.Shape[t.Rank - 2 ..]) t
    let x = Tensor.Bind(Custom(LeastSquaresRule cutoff), [| spread a; spread matrix |])[0]
    if b.Rank = 1 then squeeze [ -1 ] x else x
