// Ordinary differential equations: a thin shell around the F# solver.
namespace Functional.CSharp;

/// <summary>How the derivative of a solution is found.</summary>
public enum OdeDerivative
{
    /// <summary>By the adjoint equation, backwards in time: one gradient, with memory for the times only.</summary>
    Adjoint,

    /// <summary>Through the steps that were taken: any derivative, with memory for as many steps as there may be.</summary>
    ThroughSteps,

    /// <summary>Along with the solution, by forward mode only.</summary>
    Forward,
}

/// <summary>Ordinary differential equations dy/dt = f(p, t, y) from given initial values, by the method of Dormand and Prince of
/// order 5 with steps as large as the tolerances allow. Its solutions have derivatives.</summary>
public static class Ode
{
    /// <summary>The states at a vector of times, of which the first is that of the initial state; they increase, or decrease.</summary>
    /// <typeparam name="TParameters">Any tree; derivatives flow to it, to the times and to the initial state, not to what the function closes over.</typeparam>
    /// <typeparam name="TState">Any tree of tensors of one float type; each comes back with the times as a new first axis.</typeparam>
    /// <param name="slope">Takes parameters, time and state to the state's slope, which is built like it.</param>
    /// <param name="parameters">The parameters.</param>
    /// <param name="times">Shape [n].</param>
    /// <param name="initial">The state at the first time.</param>
    /// <param name="relativeTolerance">The error of a step may be this share of the state's magnitude; 1e-8 if nothing is said.</param>
    /// <param name="absoluteTolerance">And this much more; 1e-8 if nothing is said.</param>
    /// <param name="firstStep">The size of the first step; chosen by the slope if nothing is said.</param>
    /// <param name="maxSteps">How many steps there may be; 5000 if nothing is said.</param>
    /// <param name="derivative">How derivatives are found; by the adjoint equation if nothing is said.</param>
    /// <returns>The states, NaN from where the solver could not go on; how many steps were accepted and rejected; whether the last time was reached.</returns>
    /// <exception cref="ArgumentException">A setting is not positive, the times are no vector, or the slope is not built like the state.</exception>
    /// <example><code>
    /// var decay = Ode.Solve((k, t, y) => -k * y, Tensor.Scalar(2), Tensor.Linspace(0, 1, 11), Tensor.Scalar(1)).States;   // e⁻²ᵗ
    /// </code></example>
    public static (TState States, Tensor Accepted, Tensor Rejected, Tensor Reached) Solve<TParameters, TState>(
        Func<TParameters, Tensor, TState, TState> slope,
        TParameters parameters,
        Tensor times,
        TState initial,
        double? relativeTolerance = null,
        double? absoluteTolerance = null,
        double? firstStep = null,
        int? maxSteps = null,
        OdeDerivative derivative = OdeDerivative.Adjoint)
    {
        ArgumentNullException.ThrowIfNull(slope);
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(times);
        ArgumentNullException.ThrowIfNull(initial);
        var usual = OdeSettings.Default;
        var settings = new OdeSettings(
            relativeTolerance ?? usual.RelativeTolerance,
            absoluteTolerance ?? usual.AbsoluteTolerance,
            Bridge.Option(firstStep),
            maxSteps ?? usual.MaxSteps,
            derivative switch
            {
                OdeDerivative.Adjoint => OdeGradient.Adjoint,
                OdeDerivative.ThroughSteps => OdeGradient.ThroughSteps,
                OdeDerivative.Forward => OdeGradient.Forward,
                _ => throw new ArgumentOutOfRangeException(nameof(derivative)),
            });
        var solution = OdeModule.solveWith(settings, Bridge.Curry(slope), parameters, times, initial);
        return (solution.States, solution.Accepted, solution.Rejected, solution.Reached);
    }
}
