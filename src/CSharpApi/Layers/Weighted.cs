// What layers with a kernel and a bias have in common: the activation behind them, how the weights begin, their penalties.
using Microsoft.FSharp.Core;
using FSharpInitializer = Microsoft.FSharp.Core.FSharpFunc<Functional.DType, Microsoft.FSharp.Core.FSharpFunc<int[], Microsoft.FSharp.Core.FSharpFunc<Functional.Tensor, Functional.Tensor>>>;

namespace Functional.CSharp;

/// <summary>The arguments that Keras' layers with a kernel and a bias share.</summary>
internal sealed record Weighted(
    ActivationFunction? Activation,
    bool UseBias,
    Initializer? KernelInitializer,
    Initializer? BiasInitializer,
    Regularizer? KernelRegularizer,
    Regularizer? BiasRegularizer,
    Constraint? KernelConstraint,
    Constraint? BiasConstraint)
{
    /// <summary>How the kernel begins: Glorot-uniform by default.</summary>
    public FSharpInitializer Kernel => (KernelInitializer ?? Initializer.GlorotUniform).Function;

    /// <summary>How the bias begins, zeros by default; none where there is none.</summary>
    public FSharpOption<FSharpInitializer>? Bias => UseBias ? Bridge.Option((BiasInitializer ?? Initializer.Zeros).Function) : null;

    /// <summary>The layer with the activation behind it.</summary>
    public Layer<TParameters, Tensor, int[]> Activated<TParameters>(Layer<TParameters, Tensor, int[]> layer) =>
        Activation is null ? layer : LayerModule.activated(Activation.Name, Activation.Function, layer);

    /// <summary>Penalties and constraints of kernel and bias, by the names that they have in the F# record.</summary>
    public IReadOnlyList<Part> Parts(string kernel) => [new(kernel, KernelRegularizer, KernelConstraint), new(nameof(DenseParameters.Dense.Bias), BiasRegularizer, BiasConstraint)];

    /// <summary>The settings with these; null where one is a function of the user's own, which text cannot hold.</summary>
    public LayerConfig? Write(LayerConfig config) => config
        .Set("use_bias", UseBias)
        .SetActivation("activation", Activation)?
        .SetRegularizer("kernel_regularizer", KernelRegularizer)?
        .SetRegularizer("bias_regularizer", BiasRegularizer)?
        .SetConstraint("kernel_constraint", KernelConstraint)?
        .SetConstraint("bias_constraint", BiasConstraint);

    /// <summary>As they were written; initialisers are not kept, since the weights are.</summary>
    public static Weighted Read(LayerConfig config) => new(
        config.Activation("activation"),
        config.Bool("use_bias"),
        null,
        null,
        config.Regularizer("kernel_regularizer"),
        config.Regularizer("bias_regularizer"),
        config.Constraint("kernel_constraint"),
        config.Constraint("bias_constraint"));
}
