// What can be asked for on the command line.
using System.Globalization;

namespace Digits;

internal enum Recipe
{
    Best,
    Talk,
}

internal sealed record Options
{
    private static readonly (string Name, string Value, string Help)[] Known =
    [
        ("--recipe", "best|talk", "talk: exactly the slide; best: the same network, taught better (default)"),
        ("--data", "DIR", "folder with the four files of MNIST (else FUNCTIONAL_DATA, the cache, a download)"),
        ("--drawn", "", "digits drawn by a generator instead of MNIST"),
        ("--offline", "", "never download"),
        ("--train", "N", "learn from the first N digits only"),
        ("--epochs", "N", "how often all digits are gone through (default: 20)"),
        ("--batch", "N", "digits in a mini-batch (best: 128, talk: 100)"),
        ("--rate", "R", "learning rate (best: 0.002 at its highest, talk: 0.1)"),
        ("--seed", "N", "what weights, order and noise are drawn from (default: 1)"),
        ("--threads", "N", "threads to compute with (default: all); the result is the same"),
        ("--out", "DIR", "where the files go (default: artifacts/digits)"),
        ("--help", "", "this text"),
    ];

    public Recipe Recipe { get; private set; } = Recipe.Best;

    public string? Data { get; private set; }

    public bool Drawn { get; private set; }

    public bool Offline { get; private set; }

    public int? Train { get; private set; }

    public int? Epochs { get; private set; }

    public int? Batch { get; private set; }

    public double? Rate { get; private set; }

    public long Seed { get; private set; } = 1;

    public int? Threads { get; private set; }

    public string Out { get; private set; } = Path.Combine("artifacts", "digits");

    public string File(string name) => Path.Combine(Out, name);

    /// <summary>Makes the folder for the files, and makes sure before anything is learnt that it can be written to.</summary>
    /// <exception cref="IOException">It cannot.</exception>
    public void PrepareOut()
    {
        try
        {
            Directory.CreateDirectory(Out);
            var probe = File($".{Guid.NewGuid():N}");
            System.IO.File.WriteAllText(probe, "");
            System.IO.File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"nothing can be written to {Out} ({e.Message.TrimEnd('.')}); name another folder with --out DIR", e);
        }
    }

    /// <summary>The options; null when the program has nothing to do but to leave with the exit code.</summary>
    public static Options? Parse(string[] args, out int exitCode)
    {
        exitCode = 0;
        if (args.Any(arg => arg is "--help" or "-h" or "-?" or "help"))
        {
            Console.WriteLine("Teaches a network of 784-500-500-10 to read handwritten digits.\n\nOptions:");
            foreach (var (name, value, help) in Known)
                Console.WriteLine($"  {$"{name} {value}",-22} {help}");
            return null;
        }

        try
        {
            var options = new Options();
            for (var i = 0; i < args.Length; i++)
            {
                var (name, value) = args[i].Split('=', 2) is [var before, var after] ? (before, after) : (args[i], null);
                var takesValue = Known.FirstOrDefault(known => known.Name == name) switch
                {
                    (null, _, _) => throw new FormatException($"there is no option {name}; there are {string.Join(", ", Known.Select(known => known.Name))}"),
                    var known => known.Value != "",
                };
                if (takesValue && value is null)
                    value = i + 1 < args.Length ? args[++i] : throw new FormatException($"{name} needs a value");
                if (!takesValue && value is not null)
                    throw new FormatException($"{name} takes no value, {value} was given");
                options.Set(name, value!);
            }
            return options;
        }
        catch (FormatException e)
        {
            Console.Error.WriteLine($"Digits: {e.Message}");
            exitCode = 2;
            return null;
        }
    }

    private void Set(string name, string value)
    {
        switch (name)
        {
            case "--recipe":
                Recipe = value.ToLowerInvariant() switch
                {
                    "best" => Recipe.Best,
                    "talk" => Recipe.Talk,
                    _ => throw new FormatException($"--recipe is best or talk; {value} was given"),
                };
                break;
            case "--data": Data = value; break;
            case "--drawn": Drawn = true; break;
            case "--offline": Offline = true; break;
            case "--train": Train = Count(name, value, 1); break;
            case "--epochs": Epochs = Count(name, value, 0); break;
            case "--batch": Batch = Count(name, value, 1); break;
            case "--threads": Threads = Count(name, value, 1); break;
            case "--out": Out = value; break;
            case "--seed":
                Seed = long.TryParse(value, CultureInfo.InvariantCulture, out var seed) ? seed : throw new FormatException($"--seed is a whole number; {value} was given");
                break;
            case "--rate":
                Rate = double.TryParse(value, CultureInfo.InvariantCulture, out var rate) && rate > 0 && double.IsFinite(rate)
                    ? rate
                    : throw new FormatException($"--rate is a positive number; {value} was given");
                break;
        }
    }

    private static int Count(string name, string value, int least) =>
        int.TryParse(value, CultureInfo.InvariantCulture, out var count) && count >= least
            ? count
            : throw new FormatException($"{name} is a whole number from {least} on; {value} was given");
}
