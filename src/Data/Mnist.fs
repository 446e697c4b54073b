/// The MNIST database of handwritten digits: found in a folder, in the user's cache, or downloaded; and where none of
/// this works, digits drawn by a generator, which the result says plainly.
namespace Functional

open System
open System.IO
open System.Net.Http
open System.Security.Cryptography
open System.Threading
open System.Threading.Tasks
open Functional.Kernels

/// Where digits came from.
[<RequireQualifiedAccess>]
type DigitSource =
    /// MNIST, from files in this folder.
    | Folder of path: string
    /// MNIST, kept in this cache folder since an earlier download.
    | Cache of path: string
    /// MNIST, just downloaded from this address.
    | Download of address: string
    /// Not MNIST: drawn by the generator with this seed, for the reason given.
    | Drawn of seed: int64 * reason: string

    /// One plain sentence.
    override source.ToString() =
        match source with
        | DigitSource.Folder path -> $"MNIST from {path}"
        | DigitSource.Cache path -> $"MNIST from the cache {path}"
        | DigitSource.Download address -> $"MNIST downloaded from {address}"
        | DigitSource.Drawn(seed, reason) ->
            $"not MNIST but digits drawn by a generator (seed {seed}), because {reason}; accuracy on them says nothing about MNIST"

/// Digits to learn from and digits to be tested on.
type DigitData = {
    /// 60,000 of MNIST.
    Train: LabelledImages
    /// 10,000 of MNIST.
    Test: LabelledImages
    /// Which data this is.
    Source: DigitSource
}

/// How far the download of one file is.
[<Struct>]
type DownloadProgress = {
    File: string
    Received: int64
    /// Bytes in all; −1 when the server does not say.
    Total: int64
}

/// Where digits are looked for.
type MnistOptions = {
    /// A folder with the four files, or with a subfolder `mnist` that has them; None: the environment variable FUNCTIONAL_DATA.
    Directory: string option
    /// The folder downloads are kept in; None: the user's cache folder, `Mnist.cacheFolder`.
    Cache: string option
    /// Whether files that are nowhere may be downloaded.
    AllowDownload: bool
    /// Addresses of folders that have the four gzipped files; tried in order.
    Mirrors: string[]
    /// Called during a download; None for silence.
    Progress: (DownloadProgress -> unit) option
    /// How many digits are drawn to learn from where MNIST cannot be had.
    DrawnTrain: int
    /// How many are drawn for testing.
    DrawnTest: int
    /// The generator's seed.
    Seed: int64
}

/// The MNIST database (LeCun, Cortes, Burges; CC BY-SA 3.0).
[<RequireQualifiedAccess>]
module Mnist =

    /// Looks everywhere, and downloads what is nowhere; 60,000 and 10,000 digits are drawn where that fails.
    /// Example: `Mnist.load { Mnist.defaults with AllowDownload = false }`.
    let defaults: MnistOptions = {
        Directory = None
        Cache = None
        AllowDownload = true
        Mirrors = [|
            "https://ossci-datasets.s3.amazonaws.com/mnist/"
            "https://storage.googleapis.com/cvdf-datasets/mnist/"
        |]
        Progress = None
        DrawnTrain = 60_000
        DrawnTest = 10_000
        Seed = 1L
    }

    /// One of the files as it is distributed: its name without `.gz`, and the bytes and SHA-256 of the gzipped file.
    type internal Original = { Name: string; Bytes: int64; Sum: string }

    let private original name bytes sum = { Name = name; Bytes = bytes; Sum = sum }

    let private originals = [
        original "train-images-idx3-ubyte" 9_912_422L "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
        original "train-labels-idx1-ubyte" 28_881L "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
        original "t10k-images-idx3-ubyte" 1_648_877L "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
        original "t10k-labels-idx1-ubyte" 4_542L "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
    ]

    /// The folder downloads are kept in: the user's cache folder, by the system's own convention.
    let cacheFolder =
        let home = Environment.GetFolderPath Environment.SpecialFolder.UserProfile

        let root =
            match Environment.GetEnvironmentVariable "XDG_CACHE_HOME" with
            | path when not (String.IsNullOrEmpty path) -> path
            | _ when OperatingSystem.IsWindows() ->
                Environment.GetFolderPath Environment.SpecialFolder.LocalApplicationData
            | _ when OperatingSystem.IsMacOS() -> Path.Combine(home, "Library", "Caches")
            | _ -> Path.Combine(home, ".cache")

        Path.Combine(root, "functional", "mnist")

    /// A file of the data set in a folder, gzipped or not.
    let private tryFile folder name =
        [ name + ".gz"; name ]
        |> List.map (fun file -> Path.Combine(folder, file))
        |> List.tryFind File.Exists

    let private isComplete folder = originals |> List.forall (fun file -> (tryFile folder file.Name).IsSome)

    /// Whether a file of the cache is the original, bit for bit: nobody else may have put another in its place.
    let private isGenuine cache (file: Original) =
        let path = Path.Combine(cache, file.Name + ".gz")

        File.Exists path
        && (FileInfo path).Length = file.Bytes
        && (use stream = RegularFile.openRead "MNIST" path
            Convert.ToHexStringLower(SHA256.HashData stream) = file.Sum)

    /// The folder itself, its subfolder `mnist`, or where torchvision puts the files.
    let private within (folder: string) =
        [ folder; Path.Combine(folder, "mnist"); Path.Combine(folder, "MNIST", "raw") ]
        |> List.tryFind isComplete

    let private readImages path =
        let contents = Idx.readContents path

        match contents.Type, contents.Shape with
        | Idx.UnsignedByte, [| count; rows; columns |] ->
            Idx.requireRoom path sizeof<float32> contents
            let pixels = if count = 0 then rows * columns else contents.Bytes.Length / count
            let images = NDArray.Allocate([| count; pixels |], DType.Float32)
            let written = images.Storage.Span<float32>()

            for i in 0 .. contents.Bytes.Length - 1 do
                written[i] <- float32 contents.Bytes[i] / 255f

            Storage.KeepAlive images.Storage
            Tensor.ofArrayValue images
        | elementType, shape ->
            raise (
                InvalidDataException
                    $"{path}: images are unsigned bytes of three axes (images, rows, columns); this file has {elementType} of shape {Shape.show shape}"
            )

    let private readLabels path count =
        let file = Idx.readContents path

        match file with
        | { Type = Idx.UnsignedByte; Shape = [| labels |] } when labels = count ->
            match Array.tryFindIndex (fun label -> label > 9uy) file.Bytes with
            | Some i -> raise (InvalidDataException $"{path}: label {file.Bytes[i]} of image {i} is not one of 0 to 9")
            | None -> Tensor.create [ labels ] (Array.map int file.Bytes)
        | _ ->
            raise (
                InvalidDataException
                    $"{path}: expected {count} labels (unsigned bytes), one for every image; this file has {file.Type} of shape {Shape.show file.Shape}"
            )

    let private readFolder source folder =
        let path index = (tryFile folder originals[index].Name).Value
        let trainImages, testImages = readImages (path 0), readImages (path 2)

        {
            Train = { Images = trainImages; Labels = readLabels (path 1) trainImages.Shape[0] }
            Test = { Images = testImages; Labels = readLabels (path 3) testImages.Shape[0] }
            Source = source
        }

    /// Downloads a file beside its place and renames it when it is whole and its SHA-256 is right. What is longer than the
    /// original is given up where it becomes so.
    let private fetch
        (client: HttpClient)
        (address: string)
        (target: string)
        (file: Original)
        (progress: DownloadProgress -> unit)
        (cancel: CancellationToken)
        =
        task {
            let temporary = AtomicFile.partial target

            let requireLength what (bytes: int64) =
                if bytes > file.Bytes then
                    raise (InvalidDataException $"{address}: {what} {bytes} bytes, the original has {file.Bytes}")

            try
                // A server that falls silent is given up.
                use silence = CancellationTokenSource.CreateLinkedTokenSource cancel
                let patience () = silence.CancelAfter(TimeSpan.FromSeconds 20.0)
                patience ()
                use! response = client.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, silence.Token)
                response.EnsureSuccessStatusCode() |> ignore
                let total = response.Content.Headers.ContentLength |> Option.ofNullable |> Option.defaultValue -1L
                requireLength "the mirror announces" total
                use hash = IncrementalHash.CreateHash HashAlgorithmName.SHA256

                do!
                    task {
                        use! input = response.Content.ReadAsStreamAsync silence.Token
                        use output = File.Create temporary
                        let buffer = Array.zeroCreate<byte>(1 <<< 16)
                        let mutable received = 0L
                        let! first = input.ReadAsync(Memory buffer, silence.Token)
                        let mutable got = first

                        while got > 0 do
                            received <- received + int64 got
                            requireLength "the mirror has sent" received
                            hash.AppendData(buffer, 0, got)
                            do! output.WriteAsync(ReadOnlyMemory(buffer, 0, got), cancel)
                            patience ()

                            progress { File = Path.GetFileName target; Received = received; Total = total }
                            let! more = input.ReadAsync(Memory buffer, silence.Token)
                            got <- more

                        output.Flush true
                    }

                let found = Convert.ToHexStringLower(hash.GetHashAndReset())

                if found <> file.Sum then
                    raise (InvalidDataException $"{address}: the SHA-256 is {found}, expected {file.Sum}")

                File.Move(temporary, target, overwrite = true)
            finally
                File.Delete temporary
        }

    /// Downloads what the cache lacks from the first mirror that has it; the mirror, or why there is none.
    let private download
        (originals: Original list)
        (options: MnistOptions)
        (cache: string)
        (cancel: CancellationToken)
        =
        task {
            use handler = new SocketsHttpHandler(ConnectTimeout = TimeSpan.FromSeconds 5.0)
            use client = new HttpClient(handler, Timeout = Timeout.InfiniteTimeSpan)
            let progress = defaultArg options.Progress ignore
            let mutable result = Error "MNIST is not on this machine and no mirror was given"
            let mutable left = List.ofArray options.Mirrors

            while not left.IsEmpty && result.IsError do
                let mirror = left.Head
                left <- left.Tail

                try
                    Directory.CreateDirectory cache |> ignore

                    for file in originals do
                        if not (isGenuine cache file) then
                            let target = Path.Combine(cache, file.Name + ".gz")
                            do! fetch client $"{mirror}{file.Name}.gz" target file progress cancel

                    result <- Ok mirror
                with
                // No network, no such file, a damaged one, a folder that cannot be written: the next mirror, or drawn digits.
                | :? HttpRequestException
                | :? InvalidDataException
                | :? IOException
                | :? UnauthorizedAccessException as error ->
                    result <- Error $"MNIST could not be downloaded ({error.Message.TrimEnd '.'})"
                | :? OperationCanceledException when not cancel.IsCancellationRequested ->
                    result <- Error $"MNIST could not be downloaded ({mirror} did not answer in time)"

            return result
        }

    let private drawn (options: MnistOptions) reason = {
        Train = Digits.series options.Seed 0 options.DrawnTrain
        Test = Digits.series options.Seed options.DrawnTrain options.DrawnTest
        Source = DigitSource.Drawn(options.Seed, reason)
    }

    /// Digits drawn by the generator, whatever data there is.
    let draw (options: MnistOptions) : DigitData = drawn options "they were asked for"

    /// `loadAsync`, with what the files of the cache and of the mirrors have to be.
    let internal loadOriginals
        (originals: Original list)
        (options: MnistOptions)
        (cancel: CancellationToken)
        : Task<DigitData> =
        task {
            let cache = defaultArg options.Cache cacheFolder

            match options.Directory with
            | Some folder when not (Directory.Exists folder) ->
                raise (DirectoryNotFoundException $"{folder}: there is no such folder to take MNIST from")
            | _ -> ()

            let folders =
                Option.toList options.Directory
                @ Option.toList (Option.ofObj (Environment.GetEnvironmentVariable "FUNCTIONAL_DATA"))

            match folders |> List.filter (String.IsNullOrEmpty >> not) |> List.tryPick within with
            | Some folder -> return readFolder (DigitSource.Folder folder) folder
            | None when originals |> List.forall (isGenuine cache) -> return readFolder (DigitSource.Cache cache) cache
            | None when not options.AllowDownload ->
                let found =
                    if isComplete cache then
                        $"the files in {cache} are not those of MNIST"
                    else
                        "MNIST is not on this machine"

                return drawn options $"{found} and downloads are switched off"
            | None ->
                match! download originals options cache cancel with
                | Ok mirror -> return readFolder (DigitSource.Download mirror) cache
                | Error reason -> return drawn options reason
        }

    /// Loads the digits: from the given folder (or FUNCTIONAL_DATA), else from the cache, else by download, else drawn.
    /// `Source` says which; `string data.Source` is a sentence for the user. What is in the cache or comes from a mirror is
    /// compared with the SHA-256 of the originals; a folder may hold any data set of this form.
    /// <exception cref="T:System.IO.DirectoryNotFoundException">The folder that was given does not exist.</exception>
    /// <exception cref="T:System.IO.IOException">A file that was found may not be read, or is a device or the like.</exception>
    /// <exception cref="T:System.IO.InvalidDataException">A file that was found is cut off or damaged.</exception>
    let loadAsync (options: MnistOptions) (cancel: CancellationToken) : Task<DigitData> =
        loadOriginals originals options cancel

    /// Loads the digits, as `loadAsync` does, and waits for them.
    let load (options: MnistOptions) : DigitData = (loadAsync options CancellationToken.None).GetAwaiter().GetResult()
