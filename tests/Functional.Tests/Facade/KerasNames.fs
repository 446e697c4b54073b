/// Keras 3's public names, against what the facade has by reflection: what is not there stands on the page docs/keras.md, with
/// the reason, and nothing else does.
module Functional.Tests.Facade.KerasNames

open System
open System.IO
open System.Text.RegularExpressions
open Expecto
open Functional.CSharp

let private words (text: string) = text.Split([| ' '; '\n' |], StringSplitOptions.RemoveEmptyEntries) |> List.ofArray

let private layers =
    words
        "Activation ActivityRegularization Add AdditiveAttention AlphaDropout Attention AugMix AutoContrast Average AveragePooling1D
        AveragePooling2D AveragePooling3D BatchNormalization Bidirectional CategoryEncoding CenterCrop Concatenate Conv1D Conv1DTranspose
        Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D Cropping1D Cropping2D Cropping3D CutMix Dense
        DepthwiseConv1D DepthwiseConv2D Discretization Dot Dropout ELU EinsumDense Embedding Equalization Flatten GRU GRUCell
        GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D
        GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization GroupQueryAttention HashedCrossing Hashing Identity InputLayer
        IntegerLookup LSTM LSTMCell Lambda LayerNormalization LeakyReLU Masking MaxNumBoundingBoxes MaxPooling1D MaxPooling2D MaxPooling3D
        Maximum MelSpectrogram Minimum MixUp MultiHeadAttention Multiply Normalization PReLU Permute RMSNormalization RNN RandAugment
        RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop RandomElasticTransform RandomErasing RandomFlip
        RandomGaussianBlur RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation RandomSaturation
        RandomSharpness RandomShear RandomTranslation RandomZoom ReLU RepeatVector Rescaling Reshape Resizing STFTSpectrogram SeparableConv1D
        SeparableConv2D SimpleRNN SimpleRNNCell Softmax Solarization SpatialDropout1D SpatialDropout2D SpatialDropout3D
        SpectralNormalization StackedRNNCells StringLookup Subtract TFSMLayer TextVectorization TimeDistributed TorchModuleWrapper
        UnitNormalization UpSampling1D UpSampling2D UpSampling3D Wrapper ZeroPadding1D ZeroPadding2D ZeroPadding3D"

let private losses =
    words
        "binary_crossentropy binary_focal_crossentropy categorical_crossentropy categorical_focal_crossentropy
        categorical_generalized_cross_entropy categorical_hinge circle cosine_similarity ctc dice hinge huber kl_divergence log_cosh
        mean_absolute_error mean_absolute_percentage_error mean_squared_error mean_squared_logarithmic_error poisson
        sparse_categorical_crossentropy squared_hinge tversky"

let private metrics =
    words
        "accuracy auc binary_accuracy binary_crossentropy binary_io_u categorical_accuracy categorical_crossentropy categorical_hinge
        concordance_correlation cosine_similarity f1_score false_negatives false_positives fbeta_score hinge io_u kl_divergence log_cosh mean
        mean_absolute_error mean_absolute_percentage_error mean_io_u mean_metric_wrapper mean_squared_error
        mean_squared_logarithmic_error one_hot_io_u one_hot_mean_io_u pearson_correlation poisson precision precision_at_recall r2_score
        recall recall_at_precision root_mean_squared_error sensitivity_at_specificity sparse_categorical_accuracy
        sparse_categorical_crossentropy sparse_top_k_categorical_accuracy specificity_at_sensitivity squared_hinge sum
        top_k_categorical_accuracy true_negatives true_positives"

let private optimizers =
    words "adadelta adafactor adagrad adam adamax adamw ftrl lamb lion loss_scale_optimizer muon nadam rmsprop sgd"

/// Keras' schedules, and what they are called here.
let private schedules = [
    "CosineDecay", "Cosine"
    "CosineDecayRestarts", "CosineRestarts"
    "ExponentialDecay", "Exponential"
    "InverseTimeDecay", "InverseTime"
    "PiecewiseConstantDecay", "Piecewise"
    "PolynomialDecay", "Polynomial"
]

let private initializers =
    words
        "constant glorot_normal glorot_uniform he_normal he_uniform identity lecun_normal lecun_uniform ones orthogonal random_normal
        random_uniform stft truncated_normal variance_scaling zeros"

let private regularizers = words "l1 l2 l1_l2 orthogonal_regularizer"
let private constraints = words "max_norm min_max_norm non_neg unit_norm"

let private activations =
    words
        "celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear log_sigmoid log_softmax mish
        relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus swish tanh
        tanh_shrink threshold"

let private callbacks =
    words
        "BackupAndRestore CSVLogger Callback CallbackList EarlyStopping History LambdaCallback LearningRateScheduler ModelCheckpoint
        ProgbarLogger ReduceLROnPlateau RemoteMonitor SwapEMAWeights TensorBoard TerminateOnNaN"

/// Keras' methods and properties of models, and what they are called here where it is not the same word.
let private modelMembers =
    words
        "add add_loss add_metric add_weight build compile count_params evaluate export fit from_json get_layer get_weights inputs layers
        load_weights metrics_names non_trainable_weights outputs pop predict predict_on_batch quantize reset_metrics save save_weights
        set_weights summary test_on_batch to_json train_on_batch trainable trainable_weights weights"

let private types = typeof<Layer>.Assembly.GetExportedTypes()
let private plain (name: string) = name.Replace("_", "").ToLowerInvariant()
let private hasType (name: string) = types |> Array.exists (fun t -> t.Name.Split('`').[0] = name)

let private members (t: Type) = t.GetMembers() |> Array.map (fun m -> plain m.Name) |> Set.ofArray
let private has (t: Type) (name: string) = (members t).Contains(plain name)

/// Whether a string converts.
let private converts (convert: string -> 'T) (name: string) =
    try
        convert name |> ignore
        true
    with :? ArgumentException ->
        false

let private isModelMember (name: string) =
    match name with
    // Weights is a property that is set; a graph's ends are its shapes
    | "get_weights"
    | "set_weights" -> has typeof<Model> "weights"
    | "inputs" -> has typeof<Model> "input_shapes"
    | "outputs" -> has typeof<Model> "output_shapes"
    | "metrics_names" -> has typeof<Evaluation> "names"
    | name -> has typeof<Model> name || has typeof<Sequential> name

/// Every name with whether it is there.
let private table: (string * (string * bool) list) list = [
    "layers", layers |> List.map (fun name -> name, hasType name)
    "losses", losses |> List.map (fun name -> name, converts (fun (n: string) -> Loss.op_Implicit n) name)
    "metrics",
    metrics
    |> List.map (fun name -> name, converts (fun (n: string) -> Metric.op_Implicit n) name || has typeof<Metric> name)
    "optimizers",
    optimizers
    |> List.map (fun name -> name, converts (fun (n: string) -> Optimizer.op_Implicit n) name)
    "schedules", schedules |> List.map (fun (name, here) -> name, has typeof<LearningRate> here)
    "initializers",
    initializers
    |> List.map (fun name ->
        name, converts (fun (n: string) -> Initializer.op_Implicit n) name || has typeof<Initializer> name)
    "regularizers", regularizers |> List.map (fun name -> name, has typeof<Regularizer> name)
    "constraints", constraints |> List.map (fun name -> name, has typeof<Constraint> name)
    "activations",
    activations
    |> List.map (fun name -> name, converts (fun (n: string) -> ActivationFunction.op_Implicit n) name)
    "callbacks", callbacks |> List.map (fun name -> name, hasType name)
    "model", modelMembers |> List.map (fun name -> name, isModelMember name)
]

/// The names in the first column of a section of the page.
let private leftOut (page: string) (section: string) =
    let part = Regex.Match(page, $@"(?ms)^## {section}\b.*?(?=^## |\z)").Value

    [
        for row in Regex.Matches(part, @"(?m)^\| (`[^|]*) \|") do
            for name in Regex.Matches(row.Groups[1].Value, "`([^`]+)`") do
                name.Groups[1].Value
    ]

let private page =
    lazy
        (let rec up (folder: string) =
            let path = Path.Combine(folder, "docs", "keras.md")
            if File.Exists path then path else up (Path.GetDirectoryName folder)

         File.ReadAllText(up AppContext.BaseDirectory))

[<Tests>]
let tests =
    testList "Keras' names" [
        for section, names in table do
            testCase section
            <| fun () ->
                let missing = names |> List.filter (snd >> not) |> List.map fst |> List.sort
                let said = leftOut page.Value section |> List.sort
                Expect.equal said missing $"what docs/keras.md says is left out of Keras' {section}"

        testCase "the page says how many there are"
        <| fun () ->
            for section, names in table do
                let there = names |> List.filter snd |> List.length
                let words = $"| {section} | {there} of {names.Length} |"
                Expect.isTrue (page.Value.Contains words) $"docs/keras.md has the line {words}"
    ]
