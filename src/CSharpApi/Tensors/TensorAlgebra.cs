// Linear algebra over the last two axes, and Einstein summation; leading axes are a batch.
namespace Functional.CSharp;

/// <summary>Linear algebra over the last two axes; leading axes are a batch. Decompositions are computed in double
/// precision and have derivatives of any order. A matrix without a result (singular, not positive definite, not symmetric,
/// not finite) is an <see cref="ArgumentException"/>; the methods whose names end in <c>OrNaN</c> give NaN for that matrix
/// instead, and the others of the batch have their results.</summary>
public static class TensorAlgebra
{
    extension(Tensor)
    {
        /// <summary>Einstein summation by NumPy's rules: every letter is an axis; letters that the result does not name are
        /// summed over.</summary>
        /// <param name="equation">Such as <c>"bij,bjk->bik"</c>, a batch of matrix products.</param>
        /// <param name="operands">As many as the equation has terms.</param>
        /// <example><code>var gram = Tensor.Einsum("ni,nj->ij", x, x);</code></example>
        public static Tensor Einsum(string equation, params Tensor[] operands)
        {
            ArgumentNullException.ThrowIfNull(equation);
            ArgumentNullException.ThrowIfNull(operands);
            return Functional.Einsum.einsum(equation, operands);
        }
    }

    /// <summary>a·x, a matrix times a vector; leading axes broadcast.</summary>
    /// <param name="a">[…, m, n].</param>
    /// <param name="x">[…, n].</param>
    /// <example><code>var residual = a.MatVec(a.Solve(b)) - b;</code></example>
    public static Tensor MatVec(this Tensor a, Tensor x)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(x);
        return LinearAlgebra.matvec(a, x);
    }

    /// <summary>x·a, a vector times a matrix; leading axes broadcast.</summary>
    /// <param name="x">[…, m].</param>
    /// <param name="a">[…, m, n].</param>
    /// <example><code>var gradient = (a.MatVec(b) - b).VecMat(a);</code></example>
    public static Tensor VecMat(this Tensor x, Tensor a)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(a);
        return LinearAlgebra.vecmat(x, a);
    }

    /// <summary>The X for which the squares of a·X − b have the least sum; of several the smallest, as of a matrix without full
    /// rank. The derivatives are right to any order where the number of singular values above the cut-off does not
    /// change.</summary>
    /// <param name="a">[…, m, n].</param>
    /// <param name="b">[…, m, k], or a vector [m].</param>
    /// <param name="cutoff">Singular values up to this share of the largest count as 0.</param>
    /// <example><code>var x = a.Lstsq(b);</code></example>
    public static Tensor Lstsq(this Tensor a, Tensor b, double cutoff = 1e-13)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return MatrixFunction.lstsq(cutoff, a, b);
    }

    /// <summary>X with a·X = b.</summary>
    /// <param name="a">[…, n, n]; a singular matrix is an error.</param>
    /// <param name="b">[…, n, k], or a vector [n].</param>
    /// <example><code>var x = a.Solve(b);</code></example>
    public static Tensor Solve(this Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return LinearAlgebra.solve(a, b);
    }

    /// <summary><see cref="Solve"/>, with NaN for a singular matrix.</summary>
    /// <example><code>var steps = hessians.SolveOrNaN(gradients);</code></example>
    public static Tensor SolveOrNaN(this Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return LinearAlgebra.solveOrNaN(a, b);
    }

    /// <summary>X with a·X = b, where only the lower (or the upper) triangle of a is read. A zero on the diagonal gives ±∞
    /// or NaN.</summary>
    /// <param name="a">[…, n, n].</param>
    /// <param name="b">[…, n, k], or a vector [n].</param>
    /// <param name="lower">Which triangle.</param>
    /// <param name="transposed">Whether aᵀ·X = b is meant; the triangle is a's all the same.</param>
    /// <example><code>var x = l.TriangularSolve(b);</code></example>
    public static Tensor TriangularSolve(this Tensor a, Tensor b, bool lower = true, bool transposed = false)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return transposed ? LinearAlgebra.triangularSolveTransposed(lower, a, b) : LinearAlgebra.triangularSolve(lower, a, b);
    }

    /// <summary>L, lower triangular, with L·Lᵀ = a; a matrix that is not symmetric positive definite is an error.</summary>
    /// <example><code>var l = covariance.Cholesky();</code></example>
    public static Tensor Cholesky(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        return LinearAlgebra.cholesky(a);
    }

    /// <summary><see cref="Cholesky"/>, with NaN for a matrix that is not symmetric positive definite.</summary>
    /// <example><code>var isDefinite = IsFinite(a.CholeskyOrNaN().Sum());</code></example>
    public static Tensor CholeskyOrNaN(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        return LinearAlgebra.choleskyOrNaN(a);
    }

    /// <summary>X with a·X = b, given the factor l with l·lᵀ = a that <see cref="Cholesky"/> makes.</summary>
    /// <example><code>var x = a.Cholesky().CholeskySolve(b);</code></example>
    public static Tensor CholeskySolve(this Tensor l, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(l);
        ArgumentNullException.ThrowIfNull(b);
        return LinearAlgebra.choleskySolve(l, b);
    }

    /// <summary>Q with orthonormal columns and R, upper triangular, with Q·R = a.</summary>
    /// <example><code>var (q, r) = a.Qr();</code></example>
    public static (Tensor Q, Tensor R) Qr(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        var (q, r) = LinearAlgebra.qr(a);
        return (q, r);
    }

    /// <summary><see cref="Qr"/>, with NaN for a matrix that is not finite.</summary>
    /// <example><code>var (q, r) = a.QrOrNaN();</code></example>
    public static (Tensor Q, Tensor R) QrOrNaN(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        var (q, r) = LinearAlgebra.qrOrNaN(a);
        return (q, r);
    }

    /// <summary>The determinant. Its derivative is right for singular matrices, too.</summary>
    /// <example><code>var volume = a.Determinant();</code></example>
    public static Tensor Determinant(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        return LinearAlgebra.determinant(a);
    }

    /// <summary>The adjugate, the transposed cofactors: a·adj(a) = det(a)·I, singular or not.</summary>
    /// <example><code>var cofactors = a.Adjugate().Transpose();</code></example>
    public static Tensor Adjugate(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        return LinearAlgebra.adjugate(a);
    }

    /// <summary>log |det a|, which does not overflow; −∞ for a singular matrix.</summary>
    /// <example><code>var logVolume = a.LogDeterminant();</code></example>
    public static Tensor LogDeterminant(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        return LinearAlgebra.logDeterminant(a);
    }

    /// <summary>a⁻¹; for a⁻¹·b, <see cref="Solve"/> is faster and more accurate.</summary>
    /// <example><code>var inverse = a.Inverse();</code></example>
    public static Tensor Inverse(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        return LinearAlgebra.inverse(a);
    }

    /// <summary><see cref="Inverse"/>, with NaN for a singular matrix.</summary>
    /// <example><code>var inverses = batch.InverseOrNaN();</code></example>
    public static Tensor InverseOrNaN(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        return LinearAlgebra.inverseOrNaN(a);
    }

    /// <summary>Eigenvalues in ascending order and eigenvectors, as columns, of a symmetric matrix; one that is not is an
    /// error. Where eigenvalues coincide the derivative of their vectors is NaN: see <see cref="SymmetricFunction"/>.</summary>
    /// <example><code>var (values, vectors) = symmetric.SymmetricEigen();</code></example>
    public static (Tensor Values, Tensor Vectors) SymmetricEigen(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        var (values, vectors) = LinearAlgebra.symmetricEigen(a);
        return (values, vectors);
    }

    /// <summary><see cref="SymmetricEigen"/>, with NaN for a matrix that is not symmetric or not finite.</summary>
    /// <example><code>var (values, vectors) = batch.SymmetricEigenOrNaN();</code></example>
    public static (Tensor Values, Tensor Vectors) SymmetricEigenOrNaN(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        var (values, vectors) = LinearAlgebra.symmetricEigenOrNaN(a);
        return (values, vectors);
    }

    /// <summary>A function of a symmetric matrix, Q·f(λ)·Qᵀ by its eigenvalues and eigenvectors, with derivatives that are
    /// right to any order, also where eigenvalues coincide.</summary>
    /// <param name="a">[…, n, n].</param>
    /// <param name="function">Applied elementwise to tensors of any shape; what it closes over is a constant.</param>
    /// <example><code>var root = covariance.SymmetricFunction(Sqrt);</code></example>
    public static Tensor SymmetricFunction(this Tensor a, Func<Tensor, Tensor> function)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(function);
        return MatrixFunction.symmetric(Bridge.Curry(function), a);
    }

    /// <summary>The nearest matrix with orthonormal columns (rows, where a is wider than high), U·Vᵀ of the singular
    /// vectors, with derivatives that are right to any order where a has full rank.</summary>
    /// <example><code>var rotation = a.Polar();</code></example>
    public static Tensor Polar(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        return MatrixFunction.polar(a);
    }

    /// <summary>X with a·X + X·a = c, for a symmetric matrix a: Lyapunov's equation.</summary>
    /// <example><code>var x = a.Lyapunov(c);</code></example>
    public static Tensor Lyapunov(this Tensor a, Tensor c)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(c);
        return MatrixFunction.lyapunov(a, c);
    }

    /// <summary>U, the singular values in descending order, and Vᵀ, reduced: a = U·diag(s)·Vᵀ. Where singular values
    /// coincide the derivative of their vectors is NaN: see <see cref="Polar"/>.</summary>
    /// <example><code>var (u, s, vt) = a.Svd();</code></example>
    public static (Tensor U, Tensor S, Tensor Vt) Svd(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        var (u, s, vt) = LinearAlgebra.svd(a);
        return (u, s, vt);
    }

    /// <summary><see cref="Svd"/>, with NaN for a matrix that is not finite.</summary>
    /// <example><code>var (u, s, vt) = batch.SvdOrNaN();</code></example>
    public static (Tensor U, Tensor S, Tensor Vt) SvdOrNaN(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        var (u, s, vt) = LinearAlgebra.svdOrNaN(a);
        return (u, s, vt);
    }

    /// <summary>The diagonal of the last two axes.</summary>
    /// <example><code>var d = a.Diagonal();</code></example>
    public static Tensor Diagonal(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        return LinearAlgebra.diagonal(a);
    }

    /// <summary>The sum of the diagonal of the last two axes.</summary>
    /// <example><code>var t = a.Trace();</code></example>
    public static Tensor Trace(this Tensor a)
    {
        ArgumentNullException.ThrowIfNull(a);
        return LinearAlgebra.trace(a);
    }
}
