namespace Functional

open Functional.DormandPrince

/// How the derivative of a solution is found.
[<RequireQualifiedAccess>]
type OdeGradient =
    /// By the adjoint equation, which is solved backwards in time between the times asked for (Pontryagin 1962; Chen et al.,
    /// "Neural ordinary differential equations", 2018): memory for those times only. It is as exact as the tolerances are.
    /// One gradient only: `jvp` and second derivatives want one of the others.
    | Adjoint
    /// Through the steps that were taken, whose sizes count as constants: the exact derivative of what was computed, at the
    /// price of memory for `MaxSteps` steps. So choose a `MaxSteps` not far above what is needed.
    | ThroughSteps
    /// By forward mode only, `jvp`, along with the solution: for few parameters. The other two have reverse mode.
    | Forward

/// How an equation is solved. Example: `{ OdeSettings.Default with RelativeTolerance = 1e-6 }`.
type OdeSettings = {
    /// The error of a step may be this share of the state's magnitude …
    RelativeTolerance: float
    /// … and this much more, as a root mean square over the state's numbers.
    AbsoluteTolerance: float
    /// The size of the first step; None chooses one by the slope and how it bends.
    FirstStep: float option
    /// How many steps there may be in all, those that are tried and refused included; with the adjoint between two times.
    MaxSteps: int
    /// How the derivative is found.
    Gradient: OdeGradient
} with

    /// 10⁻⁸ relative and absolute, 5,000 steps, the adjoint.
    static member Default = {
        RelativeTolerance = 1e-8
        AbsoluteTolerance = 1e-8
        FirstStep = None
        MaxSteps = 5000
        Gradient = OdeGradient.Adjoint
    }

/// A solution, and what it took.
type OdeSolution<'S> = {
    /// The state at every time: each tensor with a new first axis. NaN from where the solver could not go on.
    States: 'S
    /// How many steps were taken, a single Int32.
    Accepted: Tensor
    /// How many were tried and refused, a single Int32.
    Rejected: Tensor
    /// Whether the last time was reached, a single Bool.
    Reached: Tensor
}

/// Ordinary differential equations dy/dt = f(p, t, y) from given initial values: the method of Dormand and Prince, of order
/// 5, with steps as large as the tolerances allow and values between the steps by its interpolant. For equations that are
/// not stiff: where a solution would need steps that are far smaller than it bends, the steps are used up.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Ode =

    let private check (settings: OdeSettings) (times: Tensor) (state: Tensor) =
        let positive name (x: float) =
            if not (x > 0.0) || System.Double.IsInfinity x then
                invalidArg "settings" $"Ode.solve: {name} is {x}; it must be a positive number"

        positive "RelativeTolerance" settings.RelativeTolerance
        positive "AbsoluteTolerance" settings.AbsoluteTolerance
        Option.iter (positive "FirstStep") settings.FirstStep

        if settings.MaxSteps < 1 then
            invalidArg "settings" $"Ode.solve: MaxSteps is {settings.MaxSteps}; at least one step is needed"

        if not (state.DType.IsFloat()) then
            invalidArg "initial" $"Ode.solve: the state is {state.DType}; it must be Float32 or Float64"

        if times.Rank <> 1 || times.Shape[0] < 1 then
            invalidShape
                "Ode.solve"
                $"times is a vector, the time of the initial state first; a tensor of shape {times.Shape} was given"

    /// Tolerances below what the float type resolves would refuse every step.
    let private control (settings: OdeSettings) (dtype: DType) : Control =
        let least = if dtype = DType.Float32 then 1.2e-6 else 2.3e-15

        {
            Relative = max least settings.RelativeTolerance
            Absolute = settings.AbsoluteTolerance
            FirstStep = settings.FirstStep
            MaxSteps = settings.MaxSteps
        }

    /// The equation with time running forward: in τ = ±t.
    let private forward (from: Tensor) (towards: Tensor) (f: Field) : Tensor * Field =
        let direction = where (less towards from) (host from -1.0) (host from 1.0)
        direction, fun t y -> direction * f (direction * t) y

    /// The states at all times, and the march's end.
    let private integrate (control: Control) (f: Field) (times: Tensor) (y: Tensor) =
        let first, last = index 0 0 times, index 0 -1 times
        let direction, f = forward first last f
        let finish = direction * last
        let begin' = start control f (direction * first) y finish

        let m, states =
            scan
                (fun m time ->
                    let time = direction * time
                    let m = advance control f finish time m
                    m, stateAt m time)
                begin'
                times

        states, m.Accepted, m.Rejected, greaterEqual m.Now finish

    /// The float tensors of the parameters, which have derivatives, and the parameters with others in their place.
    let private varied (p: 'P) : Tensor[] * (Tensor[] -> 'P) =
        let xs = Tree.leaves p

        let places = [|
            for i in 0 .. xs.Length - 1 do
                if xs[i].DType.IsFloat() then
                    i
        |]

        let put (changed: Tensor[]) =
            let all = Array.copy xs
            places |> Array.iteri (fun k i -> all[i] <- changed[k])
            Tree.rebuild p all

        Array.map (fun i -> xs[i]) places, put

    /// The state at one time from that at another.
    let private carry control (f: Field) (from: Tensor) (towards: Tensor) (y: Tensor) : Tensor =
        let direction, f = forward from towards f
        let finish = direction * towards
        let m = start control f (direction * from) y finish |> advance control f finish finish
        stateAt m finish

    /// The cotangents of parameters, times and initial state from those of the states, by the adjoint equation
    /// a' = −aᵀ ∂f/∂y, g' = −aᵀ ∂f/∂p, backwards from one time to the one before.
    let private adjoint control (f: 'P -> Field) (p: 'P) (times: Tensor) (states: Tensor) (ct: Tensor) =
        let n = states.Shape[1]
        let parameters, put = varied p
        let sizes = Array.append [| n; n |] (parameters |> Array.map Tensor.size)

        let join (y: Tensor) (a: Tensor) (gs: Tensor[]) =
            concat 0 (Array.append [| y; a |] (gs |> Array.map (cast states.DType >> flatten)))

        let slope t (z: Tensor) =
            let parts = split 0 sizes z
            let y, a = parts[0], parts[1]
            let value, pullback = vjp (fun (ps: Tensor[], y) -> f (put ps) t y) (parameters, y)
            let dp, dy = pullback a
            join value -dy (Array.map (~-) dp)

        let back (a: Tensor, gs: Tensor[]) (time: Tensor, before: Tensor, y: Tensor, ct: Tensor) =
            let pull = sum (ct * f p time y)
            let parts = carry control slope time before (join y (a + ct) gs) |> split 0 sizes
            let gs = Array.map2 (fun (g: Tensor) part -> reshape g.Shape part) gs parts[2..]
            (parts[1], gs), pull

        let count = times.Shape[0] - 1
        let later (x: Tensor) = narrow 0 1 count x
        let zeros = parameters |> Array.map (fun x -> Tensor.full states.DType x.Shape 0.0)
        let start = Tensor.full states.DType [| n |] 0.0, zeros
        let (a, gs), pulls = scanBack back start (later times, narrow 0 0 count times, later states, later ct)
        let first = -(sum (a * f p (index 0 0 times) (index 0 0 states)))
        let gs = Array.map2 (fun (x: Tensor) g -> cast x.DType g) parameters gs
        put gs, concat 0 [ reshape [ 1 ] first; pulls ], a + index 0 0 ct

    let private byAdjoint control (f: 'P -> Field) (p: 'P) (times: Tensor) (y: Tensor) =
        customReverse
            "Ode.solve"
            (fun (p, times, y) ->
                let states, accepted, rejected, reached = integrate control (f p) times y
                (states, accepted, rejected, reached), (p, times, states))
            (fun (p, times, states) (ct, _, _, _) -> adjoint control f p times states ct)
            (p, times, y)

    /// The steps are found first, as constants, and taken again where their derivative is kept.
    let private bySteps control (f: 'P -> Field) (p: 'P) (times: Tensor) (y: Tensor) =
        let first, last = index 0 0 times, index 0 -1 times
        let constant = Tree.map stopGradient p
        let direction, frozen = forward (stopGradient first) (stopGradient last) (f constant)
        let finish = direction * stopGradient last
        let begin' = start control frozen (direction * stopGradient first) (stopGradient y) finish

        let m, sizes =
            scan
                (fun m (_: Tensor) ->
                    cond
                        (logicalAnd (less m.Now finish) m.Alive)
                        (fun m ->
                            let next = attempt control frozen finish m
                            next, where next.Refused (host next.Now 0.0) (next.Now - m.Now))
                        (fun m -> m, host m.Now 0.0)
                        m)
                begin'
                (Tensor.full times.DType [| control.MaxSteps |] 0.0)

        let f t y = direction * f p (direction * t) y
        let origin = direction * first

        let move (t, y, slope) (h: Tensor) =
            cond
                (greater h (host h 0.0))
                (fun (t, y, slope) ->
                    let struct (reached, next, _, curve) = step f t y slope h
                    (t + h, reached, next), (t, curve))
                (fun (t, y, slope) -> (t, y, slope), (t, still y))
                (t, y, slope)

        let sizes = stopGradient sizes
        let _, (begins, curves) = scan move (origin, y, f origin y) sizes
        let asked = expandDims 1 (direction * times)
        // A time lies in the last step that begins before it; the times of refused tries have steps of no size.
        let isBefore = logicalAnd (greater sizes (host sizes 0.0)) (less (expandDims 0 begins) asked)

        let places =
            where isBefore (Tensor.arange 0.0 (float control.MaxSteps) 1.0 |> cast times.DType) (host times 0.0)

        let place = cast DType.Int32 (maxOver [ 1 ] places)
        let at (x: Tensor) = take 0 place x
        let size = expandDims 1 (at sizes)
        let isStill = equal size (host size 0.0)
        let share = (asked - expandDims 1 (at begins)) / where isStill (host size 1.0) size
        let states = interpolate (at curves) (where isStill (host size 0.0) share)
        let states = where (lessEqual asked m.Now) states (host states nan)
        states, m.Accepted, m.Rejected, greaterEqual m.Now finish

    /// As `solve`, with settings, and with what it took.
    let solveWith (settings: OdeSettings) (f: 'P -> Tensor -> 'S -> 'S) (p: 'P) (times: Tensor) (initial: 'S) =
        let y = Tree.ravel initial
        check settings times y
        let times = cast y.DType times
        let control = control settings y.DType

        let field p t y =
            let slope = Tree.ravel (f p t (Tree.unravel initial y))

            if slope.Shape[0] <> y.Shape[0] then
                invalidShape
                    "Ode.solve"
                    $"the slope is built like the state, of {y.Shape[0]} numbers; it has {slope.Shape[0]}"

            slope

        let states, accepted, rejected, reached =
            match settings.Gradient with
            | OdeGradient.Adjoint -> byAdjoint control field p times y
            | OdeGradient.ThroughSteps -> bySteps control field p times y
            | OdeGradient.Forward -> integrate control (field p) times y

        let leaves = Tree.leaves initial
        let pieces = split 1 (leaves |> Array.map Tensor.size) states
        let whole (x: Tensor) piece = reshape (Array.append times.Shape x.Shape) piece

        {
            States = Tree.rebuild initial (Array.map2 whole leaves pieces)
            Accepted = accepted
            Rejected = rejected
            Reached = reached
        }

    /// The states of dy/dt = f p t y at a vector of times, of which the first is that of the initial state; they increase, or
    /// they decrease. The state is any tree of tensors of one float type; each comes back with the times as a new first axis.
    /// p is any tree; derivatives flow to p, to the times and to the initial state, not to what f closes over. From where the
    /// steps are used up, or the slope is not finite, the states are NaN.
    /// Example: `Ode.solve (fun (k: Tensor) _ (y: Tensor) -> -k * y) (scalar 2.0) (Tensor.linspace 0.0 1.0 11) (scalar 1.0)` is e⁻²ᵗ.
    let solve (f: 'P -> Tensor -> 'S -> 'S) (p: 'P) (times: Tensor) (initial: 'S) : 'S =
        (solveWith OdeSettings.Default f p times initial).States
