/// Steps of the method of Dormand and Prince, "A family of embedded Runge-Kutta formulae" (1980), of order 5 with an
/// estimate of order 4, its interpolant of order 4 between the ends of a step, and the control of the steps' sizes, all as
/// Hairer, Nørsett and Wanner, "Solving Ordinary Differential Equations I" (1993), II.4-II.6, give them.
/// States are vectors here, and time increases.
module internal Functional.DormandPrince

/// The slope at a time and a state.
type Field = Tensor -> Tensor -> Tensor

/// How much error a step may have, in a state's own numbers, and how many steps there may be.
type Control = { Relative: float; Absolute: float; FirstStep: float option; MaxSteps: int }

/// Where the integration stands: the last step, from `Old` to `Now`, and what the next one begins with.
type March = {
    Old: Tensor
    Now: Tensor
    State: Tensor
    Slope: Tensor
    /// The size that the next step is to have.
    Size: Tensor
    /// The interpolant's five coefficients, 5×n.
    Curve: Tensor
    Accepted: Tensor
    Rejected: Tensor
    /// Whether the last try failed: then the next step does not grow.
    Refused: Tensor
    /// False when the steps are used up or have become too small to move on.
    Alive: Tensor
}

let private combine (h: Tensor) (terms: (float * Tensor) list) =
    let scaled = terms |> List.map (fun (c, k) -> c * k)
    h * List.reduce (+) scaled

/// A step of size h: the new state, its slope, the estimate of its error, and the interpolant's coefficients.
let step (f: Field) (t: Tensor) (y: Tensor) (k1: Tensor) (h: Tensor) =
    let at c = t + c * h
    let k2 = f (at (1.0 / 5.0)) (y + combine h [ 1.0 / 5.0, k1 ])
    let k3 = f (at (3.0 / 10.0)) (y + combine h [ 3.0 / 40.0, k1; 9.0 / 40.0, k2 ])
    let k4 = f (at (4.0 / 5.0)) (y + combine h [ 44.0 / 45.0, k1; -56.0 / 15.0, k2; 32.0 / 9.0, k3 ])

    let k5 =
        let terms = [ 19372.0 / 6561.0, k1; -25360.0 / 2187.0, k2; 64448.0 / 6561.0, k3; -212.0 / 729.0, k4 ]

        f (at (8.0 / 9.0)) (y + combine h terms)

    let k6 =
        let terms = [
            9017.0 / 3168.0, k1
            -355.0 / 33.0, k2
            46732.0 / 5247.0, k3
            49.0 / 176.0, k4
            -5103.0 / 18656.0, k5
        ]

        f (at 1.0) (y + combine h terms)

    let rise =
        combine h [ 35.0 / 384.0, k1; 500.0 / 1113.0, k3; 125.0 / 192.0, k4; -2187.0 / 6784.0, k5; 11.0 / 84.0, k6 ]

    let reached = y + rise
    let k7 = f (at 1.0) reached

    let error =
        combine h [
            71.0 / 57600.0, k1
            -71.0 / 16695.0, k3
            71.0 / 1920.0, k4
            -17253.0 / 339200.0, k5
            22.0 / 525.0, k6
            -1.0 / 40.0, k7
        ]

    let bend = h * k1 - rise

    let last =
        combine h [
            -12715105075.0 / 11282082432.0, k1
            87487479700.0 / 32700410799.0, k3
            -10690763975.0 / 1880347072.0, k4
            701980252875.0 / 199316789632.0, k5
            -1453857185.0 / 822651844.0, k6
            69997945.0 / 29380423.0, k7
        ]

    let curve = stack 0 [ y; rise; bend; rise - h * k7 - bend; last ]
    struct (reached, k7, error, curve)

/// The interpolant at a share of the step, 0 … 1, that a single number or a column of them says.
let interpolate (curve: Tensor) (share: Tensor) : Tensor =
    let c i = index -2 i curve
    let rest = 1.0 - share
    c 0 + share * (c 1 + rest * (c 2 + share * (c 3 + rest * c 4)))

/// The interpolant of a state that stays.
let still (y: Tensor) : Tensor =
    let zero = Tensor.zerosLike y
    stack 0 [ y; zero; zero; zero; zero ]

let private size (control: Control) (y: Tensor) (other: Tensor) (error: Tensor) =
    let scale = control.Absolute + control.Relative * maximum (abs y) (abs other)
    sqrt (mean (square (error / scale)))

/// A first size by the slope and how it changes (II.4), at most up to the end.
let private firstSize (control: Control) (f: Field) (t: Tensor) (y: Tensor) (slope: Tensor) (finish: Tensor) =
    match control.FirstStep with
    | Some h -> minimum (host t h) (finish - t)
    | None ->
        let d0, d1 = size control y y y, size control y y slope
        let small = host t 1e-5
        let flat = logicalOr (less d0 small) (less d1 small)
        let guess = where flat (host t 1e-6) (0.01 * d0 / where flat (host t 1.0) d1)
        let guess = minimum guess (finish - t)

        let bent =
            (f (t + guess) (y + guess * slope) - slope) / where (equal guess (host t 0.0)) (host t 1.0) guess

        let steepest = maximum d1 (size control y y bent)
        let gentle = less steepest (host t 1e-15)
        let by = where gentle (host t 1.0) steepest
        let next = where gentle (maximum (host t 1e-6) (guess * 1e-3)) (exp (log (0.01 / by) * 0.2))
        minimum (minimum (100.0 * guess) next) (finish - t)

/// The beginning, at a time and a state, on the way to the finish.
let start (control: Control) (f: Field) (t: Tensor) (y: Tensor) (finish: Tensor) : March =
    let slope = f t y

    {
        Old = t
        Now = t
        State = y
        Slope = slope
        Size = firstSize control f t y slope finish
        Curve = still y
        Accepted = Tensor.scalarOf DType.Int32 0.0
        Rejected = Tensor.scalarOf DType.Int32 0.0
        Refused = Tensor.scalarOf DType.Bool 0.0
        Alive = Tensor.scalarOf DType.Bool 1.0
    }

/// One try of a step towards the finish, which no step passes: where its error is too large, or not a number, the state
/// stays and the next try is smaller.
let attempt (control: Control) (f: Field) (finish: Tensor) (m: March) : March =
    let left = finish - m.Now
    // What would leave next to nothing for a last step takes it along.
    let h = where (greaterEqual (m.Size * 1.01) left) left m.Size
    let struct (reached, slope, error, curve) = step f m.Now m.State m.Slope h
    let error = size control m.State reached error
    let accepted = lessEqual error (host error 1.0)
    let grown = 0.9 * exp (log error * -0.2)
    let most = where m.Refused (host error 1.0) (host error 10.0)
    let factor = where (isNaN error) (host error 0.2) (minimum most (maximum (host error 0.2) grown))
    let pick a b = where accepted a b
    let next = where (equal h left) (m.Now + left) (m.Now + h)
    let one = Tensor.scalarOf DType.Int32 1.0
    let zero = Tensor.scalarOf DType.Int32 0.0
    let tries = m.Accepted + m.Rejected + one

    {
        Old = pick m.Now m.Old
        Now = pick next m.Now
        State = pick reached m.State
        Slope = pick slope m.Slope
        Size = h * factor
        Curve = pick curve m.Curve
        Accepted = m.Accepted + pick one zero
        Rejected = m.Rejected + pick zero one
        Refused = logicalNot accepted
        Alive =
            logicalAnd
                (less tries (Tensor.scalarOf DType.Int32 (float control.MaxSteps)))
                (logicalOr accepted (notEqual (m.Now + h * factor) m.Now))
    }

/// Tries until a time is reached, or it cannot be.
let advance (control: Control) (f: Field) (finish: Tensor) (target: Tensor) (m: March) : March =
    whileLoop (fun m -> logicalAnd (less m.Now target) m.Alive) (attempt control f finish) m

/// The state at a time within the last step; NaN where the march has not come so far.
let stateAt (m: March) (time: Tensor) : Tensor =
    let length = m.Now - m.Old
    let isStill = equal length (host length 0.0)
    let share = where isStill (host length 0.0) ((time - m.Old) / where isStill (host length 1.0) length)
    // A time that is the end of the step is that end to the last bit.
    let there = where (greaterEqual time m.Now) m.State (interpolate m.Curve share)
    where (lessEqual time m.Now) there (host there nan)
