/// The one rule of calculus each primitive has: its derivative in input i, as a linear map. Everything else that is
/// known of derivatives, in both directions and to any order, follows from this page.
[<RequireQualifiedAccess>]
module Functional.Rules.Partial

open System
open Functional
open Functional.Operations

let inline private map op hole c = Derivative.Linear(op, c, hole)
let private times (c: Tensor) = map Prim.mul 0 c
let private over (c: Tensor) = map Prim.div 0 c

/// The value of one expression with the derivatives of another that is equal to it: of a product that is exact where a
/// difference of squares is not, and of the squares, whose derivative is not a difference of numbers near 1.
let private valueOf (value: Tensor) (derivative: Tensor) = stopGradient value + (derivative - stopGradient derivative)

/// 1 − x², to the last bits near ±1; its derivative, near 0.
let private oneMinusSquare (x: Tensor) = valueOf ((1.0 - x) * (1.0 + x)) (-(x * x))

/// Whether |x| > 1, and x, or there 1/x, whose square stays within range.
let private turned (x: Tensor) =
    let large = greater (abs x) (host x 1.0)
    // the inner guard keeps 1/0 out of the derivative
    large, where large (reciprocal (where large x (host x 1.0))) x

/// 1/(1 + x²)
let private atanSlope (x: Tensor) =
    let large, z = turned x
    let slope = reciprocal (z * z + 1.0)
    where large (z * z * slope) slope

/// 1/√(1 + x²)
let private asinhSlope (x: Tensor) =
    let large, z = turned x
    let slope = rsqrt (z * z + 1.0)
    where large (abs z * slope) slope

/// y/(x² + y²), both scaled by the larger, which may be any constant.
let private atan2Slope (y: Tensor) (x: Tensor) =
    let larger = stopGradient (maximum (abs x) (abs y))
    let scale = where (isFinite larger) larger (host larger 1.0)
    let x, y = x / scale, y / scale
    y / (x * x + y * y) / scale

/// 1/(1 + e⁻ˣ) by e^−|x|: unlike sigmoid's, its derivative is not made of 1 − y, of which nothing is left where y rounds to 1.
let private softplusSlope (x: Tensor) =
    let positive = greater x (host x 0.0)
    let e = exp (where positive -x x)
    let share = reciprocal (e + 1.0)
    where positive share (e * share)

/// e^−x², whose relative error is not that of x² times x²: x = h + l with so few bits in h that its square is exact.
let private gaussian (x: Tensor) =
    // beyond it is 0
    let x = clamp -40.0 40.0 x
    let high = round (x * 16.0) * (1.0 / 16.0)
    exp (-(high * high)) * exp (-((x - high) * (x + high)))

/// x is the operand, y the result.
let private unary (u: Unary) (x: Tensor) (y: Tensor) : Derivative =
    match u with
    | Unary.Neg -> map Prim.neg 0 null
    | Unary.Abs -> times (signum x)
    | Unary.Exp -> times y
    | Unary.Expm1 -> times (exp x)
    | Unary.Log -> over x
    | Unary.Log1p -> over (x + 1.0)
    | Unary.Sqrt -> over (y + y)
    | Unary.Rsqrt -> times (y * y * (y * -0.5))
    | Unary.Square -> times (x + x)
    | Unary.Reciprocal -> times (-(y * y))
    | Unary.Sin -> times (cos x)
    | Unary.Cos -> times (-(sin x))
    | Unary.Tan -> times (y * y + 1.0)
    | Unary.Asin -> times (rsqrt (oneMinusSquare x))
    | Unary.Acos -> times (-(rsqrt (oneMinusSquare x)))
    | Unary.Atan -> times (atanSlope x)
    | Unary.Sinh -> times (cosh x)
    | Unary.Cosh -> times (sinh x)
    | Unary.Tanh -> map Prim.tanhScale 0 y
    | Unary.Asinh -> times (asinhSlope x)
    | Unary.Acosh -> times (rsqrt (x - 1.0) * rsqrt (x + 1.0))
    | Unary.Atanh -> over (oneMinusSquare x)
    | Unary.Sigmoid -> map Prim.sigmoidScale 0 y
    | Unary.Softplus -> times (softplusSlope x)
    | Unary.Relu -> map Prim.reluScale 0 y
    | Unary.Erf -> times (gaussian x * (2.0 / sqrt Math.PI))
    | Unary.Erfc -> times (gaussian x * (-2.0 / sqrt Math.PI))
    | Unary.Sign
    | Unary.Floor
    | Unary.Ceil
    | Unary.Round
    | Unary.Not -> Derivative.Zero

/// 1 where `mine` won, ½ at a tie.
let private share (won: Tensor -> Tensor -> Tensor) (mine: Tensor) (other: Tensor) =
    let k value = host mine value
    times (where (won mine other) (k 1.0) (where (equal mine other) (k 0.5) (k 0.0)))

let private binary (op: Op) (o: Binary) i (a: Tensor) (b: Tensor) (y: Tensor) : Derivative =
    match o with
    | Binary.Add -> Derivative.Identity
    | Binary.Sub -> if i = 0 then Derivative.Identity else map Prim.neg 0 null
    | Binary.Mul -> map op 0 (if i = 0 then b else a)
    | Binary.Div -> if i = 0 then over b else times (-(y / b))
    | Binary.Pow when i = 0 ->
        // b·a^(b−1); the guard keeps 0·0⁻¹ out of a⁰
        times (b * (a ** where (equal b (host b 0.0)) (host b 1.0) (b - 1.0)))
    | Binary.Pow -> times (y * log (where (equal a (host a 0.0)) (host a 1.0) a))
    | Binary.Atan2 -> if i = 0 then times (atan2Slope b a) else times (-(atan2Slope a b))
    | Binary.Max -> if i = 0 then share greater a b else share greater b a
    | Binary.Min -> if i = 0 then share less a b else share less b a
    | Binary.Rem -> if i = 0 then Derivative.Identity else times (-(round ((a - y) / b)))
    | Binary.TanhScale -> if i = 0 then map op 0 b else times (a * b * -2.0)
    | Binary.SigmoidScale -> if i = 0 then map op 0 b else times (a * (1.0 - (b + b)))
    | Binary.ReluScale -> if i = 0 then map op 0 b else Derivative.Zero
    | Binary.And
    | Binary.Or
    | Binary.Xor -> Derivative.Zero

/// Products of all the other elements along the reduced axes, right where elements are 0: running products from both ends.
let private productOfOthers (axes: int[]) (x: Tensor) =
    let rest = Array.except axes [| 0 .. x.Rank - 1 |]
    let order = Array.append rest axes
    let moved = permute order x
    let n = axes |> Array.fold (fun n i -> n * x.Shape[i]) 1
    let rows = Array.append (rest |> Array.map (fun i -> x.Shape[i])) [| n |]
    let last = rows.Length - 1
    let line = reshape rows moved
    // an empty product has no elements at all
    let first = min 1 n
    let one = Tensor.full x.DType (Shape.withAxis last first rows) 1.0
    let before = concat last [ one; narrow last 0 (n - first) line ] |> cumprod last

    let after =
        reverse [ last ] (concat last [ one; narrow last 0 (n - first) (reverse [ last ] line) ] |> cumprod last)

    before * after
    |> reshape moved.Shape
    |> permute (Array.init x.Rank (fun i -> Array.IndexOf(order, i)))

/// The result under the shape it would have had, had the reduced axes been kept.
let private kept (axes: int[]) (x: Tensor) (y: Tensor) = reshape (Shape.reduce axes true x.Shape) y

let private reduce r (axes: int[]) keep (x: Tensor) (y: Tensor) : Derivative =
    let weighted w = map (SumProduct(axes, keep)) 0 w

    match r with
    | Reduction.Sum -> map (Reduce(r, axes, keep)) 0 null
    | Reduction.Prod -> weighted (productOfOthers axes x)
    | Reduction.Max
    | Reduction.Min ->
        let mask = cast x.DType (equal x (kept axes x y))
        weighted (mask / sumKeep axes mask)
    | Reduction.LogSumExp ->
        // softmax, which is the same for every shift: the rounded result will do, and what its rounding left out goes with the
        // division. Where everything is −∞ the shares are 0; an infinite element is without a share, the others have none.
        let y = stopGradient (kept axes x y)
        let e = exp (x - where (equal y (host y -infinity)) (host y 0.0) y)
        let total = sumKeep axes e
        weighted (e / where (greater total (host y 0.0)) total (host y 1.0))

/// The derivative of `op` in input i at inputs a, b, c (absent ones null) with result y.
let partial (op: Op) (i: int) (a: Tensor) (b: Tensor) (c: Tensor) (y: Tensor) : Derivative =
    match op with
    | Unary u -> unary u a y
    | Binary o -> binary op o i a b y
    | Select -> if i = 0 then Derivative.Zero else map op i a
    | AddScaled scale -> if i = 0 then Derivative.Identity else times (host y scale)
    | MatMul _ -> map op i (if i = 0 then b else a)
    | Dense ->
        match i with
        | 0 -> map (Prim.matmul false false) 0 b
        | 1 -> map (Prim.matmul false false) 1 a
        | _ -> Derivative.Identity
    | SumProduct _
    | Conv _
    | ConvInput _
    | ConvKernel _ -> map op i (if i = 0 then b else a)
    | ConvBias k ->
        match i with
        | 0 -> map (Conv k) 0 b
        | 1 -> map (Conv k) 1 a
        | _ -> Derivative.Identity
    | MaxPool w -> map (MaxPoolPick w) 0 a
    | MaxPoolPick _
    | MaxPoolPlace _ -> if i = 0 then map op 0 b else Derivative.Zero
    | Reduce(r, axes, keep) -> reduce r axes keep a y
    | Cumulate(Cumulation.Sum, _, _) -> map op 0 null
    | Cumulate(Cumulation.Prod, _, _) -> Derivative.Expand
    | Softmax axis -> map (SoftmaxScale axis) 0 y
    | SoftmaxScale _ -> if i = 0 then map op 0 b else Derivative.Expand
    | Cast _
    | Broadcast _
    | Reshape _
    | Transpose _
    | Slice _
    | Pad _
    | Reverse _ -> map op 0 null
    | Gather _
    | ScatterAdd _
    | GatherAlong _
    | ScatterAlong _ -> if i = 0 then map op 0 b else Derivative.Zero
    | Compare _
    | StopGradient
    | ArgReduce _
    | ArgSort _
    | Random _ -> Derivative.Zero

/// Running products in log₂ n doubling steps (Hillis and Steele 1986): a definition by multiplications alone, whose
/// derivative is right where elements are 0, to any order.
let private runningProduct axis fromEnd (x: Tensor) =
    let n = x.Shape[axis]

    let rec double distance (y: Tensor) =
        if distance >= n then
            y
        else
            let one = Tensor.full x.DType (Shape.withAxis axis distance x.Shape) 1.0
            double (2 * distance) (y * concat axis [ one; narrow axis 0 (n - distance) y ])

    if fromEnd then
        x |> reverse [ axis ] |> double 1 |> reverse [ axis ]
    else
        double 1 x

/// An operation as its definition in other primitives, for those that have no single linear map as derivative.
let expand (op: Op) (a: Tensor) (b: Tensor) (c: Tensor) : Tensor =
    match op with
    | Cumulate(Cumulation.Prod, axis, fromEnd) -> runningProduct axis fromEnd a
    | SoftmaxScale axis -> b * (a - Tensor.Bind(SumProduct([| axis |], true), a, b))
    | Dense -> a *@ b + c
    | ConvBias k -> Tensor.Bind(Conv k, a, b) + c
    | Unary _
    | Binary _
    | Compare _
    | Select
    | Cast _
    | StopGradient
    | AddScaled _
    | MatMul _
    | Conv _
    | ConvInput _
    | ConvKernel _
    | MaxPool _
    | MaxPoolPick _
    | MaxPoolPlace _
    | SumProduct _
    | Reduce _
    | ArgReduce _
    | Cumulate(Cumulation.Sum, _, _)
    | Softmax _
    | Broadcast _
    | Reshape _
    | Transpose _
    | Slice _
    | Pad _
    | Reverse _
    | Gather _
    | ScatterAdd _
    | GatherAlong _
    | ScatterAlong _
    | ArgSort _
    | Random _ -> invalidOp $"internal: {Facts.name op} has no definition in other primitives"
