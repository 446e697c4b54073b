// The three recurrent layers: plain, LSTM, GRU.
namespace Functional.CSharp;

/// <summary>A plain recurrent layer: h′ = activation(x·kernel + h·recurrentKernel + bias). [steps, features] gives [units], or
/// [steps, units].</summary>
/// <example><code>model.Add(new SimpleRNN(32));</code></example>
public sealed class SimpleRNN : RNN
{
    /// <summary>A layer of a number of units.</summary>
    /// <param name="units">The number of features that come out.</param>
    /// <param name="activation">Applied to the state; tanh by default.</param>
    /// <param name="useBias">Whether a bias is added.</param>
    /// <param name="kernelInitializer">How the kernel that reads the input begins; Glorot-uniform by default.</param>
    /// <param name="recurrentInitializer">How the kernel that reads the state begins; orthogonal by default.</param>
    /// <param name="biasInitializer">How the bias begins; zeros by default.</param>
    /// <param name="kernelRegularizer">A penalty on the input's kernel.</param>
    /// <param name="recurrentRegularizer">A penalty on the state's kernel.</param>
    /// <param name="biasRegularizer">A penalty on the bias.</param>
    /// <param name="kernelConstraint">What the input's kernel is brought back to after each step.</param>
    /// <param name="recurrentConstraint">What the state's kernel is brought back to after each step.</param>
    /// <param name="biasConstraint">What the bias is brought back to after each step.</param>
    /// <param name="dropout">The fraction of input features dropped while learning, the same ones at every step.</param>
    /// <param name="recurrentDropout">The fraction of the state dropped while learning, the same at every step.</param>
    /// <param name="returnSequences">Whether the outputs of all steps come out, or the last alone.</param>
    /// <param name="returnState">Whether the last state comes out, too: see <see cref="Layer.ApplyAll"/>.</param>
    /// <param name="goBackwards">Whether the sequence is read from its end; outputs come in the order they were made.</param>
    /// <param name="stateful">Whether every batch goes on where the one before ended: see <see cref="Model.ResetStates"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than one unit, or fractions outside [0, 1).</exception>
    public SimpleRNN(
        int units,
        ActivationFunction? activation = null,
        bool useBias = true,
        Initializer? kernelInitializer = null,
        Initializer? recurrentInitializer = null,
        Initializer? biasInitializer = null,
        Regularizer? kernelRegularizer = null,
        Regularizer? recurrentRegularizer = null,
        Regularizer? biasRegularizer = null,
        Constraint? kernelConstraint = null,
        Constraint? recurrentConstraint = null,
        Constraint? biasConstraint = null,
        double dropout = 0,
        double recurrentDropout = 0,
        bool returnSequences = false,
        bool returnState = false,
        bool goBackwards = false,
        bool stateful = false)
        : this(new RecurrentArguments(
            units,
            new(activation, useBias, kernelInitializer, biasInitializer, kernelRegularizer, biasRegularizer, kernelConstraint, biasConstraint),
            recurrentInitializer, recurrentRegularizer, recurrentConstraint, dropout, recurrentDropout, returnSequences, returnState, goBackwards, stateful).Check(nameof(SimpleRNN)))
    {
    }

    internal SimpleRNN(RecurrentArguments arguments)
        : base(arguments, new RecurrentCore<SimpleRnn, Tensor>(
            SimpleRnnModule.cellWith(arguments.Activation)))
    {
    }
}

/// <summary>Long short-term memory. [steps, features] gives [units], or [steps, units]; its state is the output and a
/// memory.</summary>
/// <example><code>
/// model.Add(new LSTM(128, returnSequences: true));
/// model.Add(new LSTM(128));
/// </code></example>
public sealed class LSTM : RNN
{
    private readonly ActivationFunction? recurrentActivation;
    private readonly bool unitForgetBias;

    /// <summary>A layer of a number of units.</summary>
    /// <param name="units">The number of features that come out.</param>
    /// <param name="activation">For candidates and outputs; tanh by default.</param>
    /// <param name="recurrentActivation">For the gates; sigmoid by default.</param>
    /// <param name="useBias">Whether a bias is added.</param>
    /// <param name="kernelInitializer">How the kernel that reads the input begins; Glorot-uniform by default.</param>
    /// <param name="recurrentInitializer">How the kernel that reads the state begins; orthogonal by default.</param>
    /// <param name="biasInitializer">How the bias begins; zeros by default.</param>
    /// <param name="unitForgetBias">Whether the forget gate's bias begins at 1, so that at first the memory is kept.</param>
    /// <param name="kernelRegularizer">A penalty on the input's kernel.</param>
    /// <param name="recurrentRegularizer">A penalty on the state's kernel.</param>
    /// <param name="biasRegularizer">A penalty on the bias.</param>
    /// <param name="kernelConstraint">What the input's kernel is brought back to after each step.</param>
    /// <param name="recurrentConstraint">What the state's kernel is brought back to after each step.</param>
    /// <param name="biasConstraint">What the bias is brought back to after each step.</param>
    /// <param name="dropout">The fraction of input features dropped while learning, the same ones at every step.</param>
    /// <param name="recurrentDropout">The fraction of the state dropped while learning, the same at every step.</param>
    /// <param name="returnSequences">Whether the outputs of all steps come out, or the last alone.</param>
    /// <param name="returnState">Whether hidden state and memory come out, too: see <see cref="Layer.ApplyAll"/>.</param>
    /// <param name="goBackwards">Whether the sequence is read from its end; outputs come in the order they were made.</param>
    /// <param name="stateful">Whether every batch goes on where the one before ended: see <see cref="Model.ResetStates"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than one unit, or fractions outside [0, 1).</exception>
    public LSTM(
        int units,
        ActivationFunction? activation = null,
        ActivationFunction? recurrentActivation = null,
        bool useBias = true,
        Initializer? kernelInitializer = null,
        Initializer? recurrentInitializer = null,
        Initializer? biasInitializer = null,
        bool unitForgetBias = true,
        Regularizer? kernelRegularizer = null,
        Regularizer? recurrentRegularizer = null,
        Regularizer? biasRegularizer = null,
        Constraint? kernelConstraint = null,
        Constraint? recurrentConstraint = null,
        Constraint? biasConstraint = null,
        double dropout = 0,
        double recurrentDropout = 0,
        bool returnSequences = false,
        bool returnState = false,
        bool goBackwards = false,
        bool stateful = false)
        : this(
            new RecurrentArguments(
                units,
                new(activation, useBias, kernelInitializer, biasInitializer, kernelRegularizer, biasRegularizer, kernelConstraint, biasConstraint),
                recurrentInitializer, recurrentRegularizer, recurrentConstraint, dropout, recurrentDropout, returnSequences, returnState, goBackwards, stateful).Check(nameof(LSTM)),
            recurrentActivation,
            unitForgetBias)
    {
    }

    internal LSTM(LayerConfig config)
        : this(RecurrentArguments.Read(config), config.Activation("recurrent_activation"), config.Bool("unit_forget_bias"))
    {
    }

    private LSTM(RecurrentArguments arguments, ActivationFunction? recurrentActivation, bool unitForgetBias)
        : base(arguments, new RecurrentCore<Lstm, LstmState>(
            LstmModule.cellWith(new LstmOptions(activation: arguments.Activation, recurrentActivation: (recurrentActivation ?? Activations.Sigmoid).Function, unitForgetBias: unitForgetBias))))
    {
        this.recurrentActivation = recurrentActivation;
        this.unitForgetBias = unitForgetBias;
    }

    internal override LayerConfig? Config() =>
        base.Config()?.Set("unit_forget_bias", unitForgetBias).SetActivation("recurrent_activation", recurrentActivation);
}

/// <summary>The gated recurrent unit. [steps, features] gives [units], or [steps, units].</summary>
/// <example><code>model.Add(new GRU(128, returnSequences: true));</code></example>
public sealed class GRU : RNN
{
    private readonly ActivationFunction? recurrentActivation;
    private readonly bool resetAfter;

    /// <summary>A layer of a number of units.</summary>
    /// <param name="units">The number of features that come out.</param>
    /// <param name="activation">For candidates; tanh by default.</param>
    /// <param name="recurrentActivation">For the gates; sigmoid by default.</param>
    /// <param name="useBias">Whether a bias is added.</param>
    /// <param name="kernelInitializer">How the kernel that reads the input begins; Glorot-uniform by default.</param>
    /// <param name="recurrentInitializer">How the kernel that reads the state begins; orthogonal by default.</param>
    /// <param name="biasInitializer">How the bias begins; zeros by default.</param>
    /// <param name="kernelRegularizer">A penalty on the input's kernel.</param>
    /// <param name="recurrentRegularizer">A penalty on the state's kernel.</param>
    /// <param name="biasRegularizer">A penalty on the bias.</param>
    /// <param name="kernelConstraint">What the input's kernel is brought back to after each step.</param>
    /// <param name="recurrentConstraint">What the state's kernel is brought back to after each step.</param>
    /// <param name="biasConstraint">What the bias is brought back to after each step.</param>
    /// <param name="dropout">The fraction of input features dropped while learning, the same ones at every step.</param>
    /// <param name="recurrentDropout">The fraction of the state dropped while learning, the same at every step.</param>
    /// <param name="returnSequences">Whether the outputs of all steps come out, or the last alone.</param>
    /// <param name="returnState">Whether the last state comes out, too: see <see cref="Layer.ApplyAll"/>.</param>
    /// <param name="goBackwards">Whether the sequence is read from its end; outputs come in the order they were made.</param>
    /// <param name="stateful">Whether every batch goes on where the one before ended: see <see cref="Model.ResetStates"/>.</param>
    /// <param name="resetAfter">Whether the reset gate is applied to the product of state and kernel (Keras' default, a bias for
    /// each), or to the state before it, as in the paper.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than one unit, or fractions outside [0, 1).</exception>
    public GRU(
        int units,
        ActivationFunction? activation = null,
        ActivationFunction? recurrentActivation = null,
        bool useBias = true,
        Initializer? kernelInitializer = null,
        Initializer? recurrentInitializer = null,
        Initializer? biasInitializer = null,
        Regularizer? kernelRegularizer = null,
        Regularizer? recurrentRegularizer = null,
        Regularizer? biasRegularizer = null,
        Constraint? kernelConstraint = null,
        Constraint? recurrentConstraint = null,
        Constraint? biasConstraint = null,
        double dropout = 0,
        double recurrentDropout = 0,
        bool returnSequences = false,
        bool returnState = false,
        bool goBackwards = false,
        bool stateful = false,
        bool resetAfter = true)
        : this(
            new RecurrentArguments(
                units,
                new(activation, useBias, kernelInitializer, biasInitializer, kernelRegularizer, biasRegularizer, kernelConstraint, biasConstraint),
                recurrentInitializer, recurrentRegularizer, recurrentConstraint, dropout, recurrentDropout, returnSequences, returnState, goBackwards, stateful).Check(nameof(GRU)),
            recurrentActivation,
            resetAfter)
    {
    }

    internal GRU(LayerConfig config)
        : this(RecurrentArguments.Read(config), config.Activation("recurrent_activation"), config.Bool("reset_after"))
    {
    }

    private GRU(RecurrentArguments arguments, ActivationFunction? recurrentActivation, bool resetAfter)
        : base(arguments, new RecurrentCore<Gru, Tensor>(
            GruModule.cellWith(new GruOptions(activation: arguments.Activation, recurrentActivation: (recurrentActivation ?? Activations.Sigmoid).Function, resetAfter: resetAfter))))
    {
        this.recurrentActivation = recurrentActivation;
        this.resetAfter = resetAfter;
    }

    internal override LayerConfig? Config() =>
        base.Config()?.Set("reset_after", resetAfter).SetActivation("recurrent_activation", recurrentActivation);
}
