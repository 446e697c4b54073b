// The talk's program: a network of 784-500-500-10 learns handwritten digits. `--recipe talk` is the slide, line by line
// (Recipes.cs); `--recipe best`, the default, is the same network taught better.
using Digits;
using Functional.CSharp;

var options = Options.Parse(args, out var exitCode);
if (options is null) return exitCode;

try
{
    options.PrepareOut();
    if (options.Threads is { } threads) Runtime.Threads = threads;

    Screen.Title(options);
    var set = Screen.WhileLoading(progress => options.Drawn
        ? Datasets.DrawnDigits(seed: options.Seed)
        : Datasets.Digits(options.Data, !options.Offline, progress));
    var digits = DigitData.Of(set, options.Train);
    Screen.Data(digits);

    var model = Recipes.Model(options);
    model.Summary();
    var watch = System.Diagnostics.Stopwatch.StartNew();
    var history = Recipes.Fit(model, digits, options);
    Screen.Trained(history, watch.Elapsed);

    var answers = model.Predict(digits.XTest, batchSize: 1000);
    var (loss, accuracy) = model.Evaluate(digits.XTest, digits.YTest.OneHot(10), batchSize: 1000);

    model.Save(options.File("model.safetensors"));
    if (history.Epochs > 0) Charts.Save(history, options, options.File("curves.png"));
    Sheet.Save(digits, answers, accuracy, options.File("digits.png"));

    Screen.Files(options, "model.safetensors", "curves.png", "digits.png");
    Screen.Result(loss, accuracy);
    return 0;
}
catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or ArgumentException)
{
    return Screen.Failure(e);
}
