// The minimisers there are, with the settings that each has.
using FSharpMinimizer = Functional.MinimizerType.Minimizer;

namespace Functional.CSharp;

/// <summary>BFGS with a memory of some steps: for many parameters.</summary>
/// <param name="history">How many steps are remembered.</param>
/// <example><code>new LBFGS(history: 20)</code></example>
public sealed class LBFGS(int history = 10) : Minimizer
{
    private protected override FSharpMinimizer Create() => LbfgsModule.create(new Lbfgs(history));
}

/// <summary>How an approximation of the inverse Hessian is updated.</summary>
public enum QuasiNewtonScaling
{
    /// <summary>Broyden, Fletcher, Goldfarb and Shanno's update.</summary>
    None,

    /// <summary>Scaled down where the approximation promises too much.</summary>
    SelfScaled,

    /// <summary>Self-scaled Broyden: the best known for physics-informed networks.</summary>
    SelfScaledBroyden,
}

/// <summary>BFGS with a matrix: for some hundred parameters.</summary>
/// <param name="scaling">How the matrix is updated.</param>
/// <example><code>var minimizer = new BFGS(QuasiNewtonScaling.SelfScaledBroyden) { MaxSteps = 5000 };</code></example>
public sealed class BFGS(QuasiNewtonScaling scaling = QuasiNewtonScaling.None) : Minimizer
{
    private protected override FSharpMinimizer Create() => QuasiNewton.create(scaling switch
    {
        QuasiNewtonScaling.None => QuasiNewtonUpdate.Bfgs,
        QuasiNewtonScaling.SelfScaled => QuasiNewtonUpdate.SelfScaledBfgs,
        QuasiNewtonScaling.SelfScaledBroyden => QuasiNewtonUpdate.SelfScaledBroyden,
        _ => throw new ArgumentOutOfRangeException(nameof(scaling), $"BFGS: there is no scaling {scaling}"),
    });
}

/// <summary>Nonlinear conjugate gradients: for very many parameters.</summary>
/// <example><code>new ConjugateGradients()</code></example>
public sealed class ConjugateGradients : Minimizer
{
    private protected override FSharpMinimizer Create() => ConjugateGradientsModule.create();
}

/// <summary>Newton's method by products with the Hessian, in a trust region.</summary>
/// <param name="radius">The length of the first steps at most.</param>
/// <param name="products">How many products a step may take; 0 is as many as there are parameters.</param>
/// <example><code>new NewtonCG(radius: 10)</code></example>
public sealed class NewtonCG(double radius = 1.0, int products = 0) : Minimizer
{
    private protected override FSharpMinimizer Create() => NewtonCgModule.create(new NewtonCg(radius, products));
}

/// <summary>Least squares by Levenberg and Marquardt's method.</summary>
/// <param name="damping">The damping at first.</param>
/// <param name="scaled">Whether parameters are damped in units of their own: for models; not for networks.</param>
/// <param name="orthogonal">Whether steps are solved for by QR; by default up to 12 parameters.</param>
/// <example><code>var minimizer = new LevenbergMarquardt(scaled: false) { MaxSteps = 400 };</code></example>
public sealed class LevenbergMarquardt(double damping = 1e-3, bool scaled = true, bool? orthogonal = null) : Minimizer
{
    private protected override FSharpMinimizer Create() => LevenbergMarquardtModule.create(new Functional.LevenbergMarquardtType.LevenbergMarquardt(
        damping,
        scaled ? Damping.Scaled : Damping.Uniform,
        orthogonal switch
        {
            null => LeastSquaresSolver.Automatic,
            true => LeastSquaresSolver.Orthogonal,
            false => LeastSquaresSolver.Gramian,
        }));
}

/// <summary>Energy natural gradients, which are Gauss and Newton's steps of least squares: for physics-informed networks.</summary>
/// <param name="cutoff">Eigenvalues of the Gramian below this part of the largest are left out at first.</param>
/// <param name="least">The least cut-off.</param>
/// <example><code>var minimizer = new NaturalGradient() { MaxSteps = 51 };</code></example>
public sealed class NaturalGradient(double cutoff = 1e-8, double least = 1e-15) : Minimizer
{
    private protected override FSharpMinimizer Create() =>
        NaturalGradientModule.create(new NaturalGradientType.NaturalGradient(cutoff, least));
}
