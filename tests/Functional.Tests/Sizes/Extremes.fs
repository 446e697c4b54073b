/// Operations and layers with extreme arguments, drawn by a number, and what each must come to: counted in whole numbers of
/// any size, which share nothing with the library's own arithmetic.
module Functional.Tests.Sizes.Extremes

open System
open System.Numerics
open Functional

/// What the arguments must come to.
type Verdict =
    /// A result of this shape; `extra` are sizes of other arrays needed on the way.
    | Gives of shape: bigint list * extra: bigint list
    /// There is no such result, whatever its size.
    | Impossible

/// One draw: a function of a tensor, its argument, and what must come of it.
type Draw = {
    /// What was drawn, for a report.
    Text: string
    /// The names an error may have.
    Names: string list
    Run: Tensor -> Tensor
    Argument: Tensor
    Verdict: Verdict
    /// Bytes of an element of the result.
    Width: int
    /// Whether the result holds nothing but elements of the argument, and zeros.
    Moves: bool
}

let private extremes = [|
    0
    -1
    1
    2
    3
    4
    5
    7
    8
    46341
    65535
    65536
    65537
    1 <<< 29
    (1 <<< 29) + 1
    1 <<< 30
    Int32.MaxValue - 1
    Int32.MaxValue
    Int32.MinValue
    -2
|]

/// What arrays hold, said once more: 2 GB, less a few bytes.
let private most = bigint Int32.MaxValue - 64I

let private product (sizes: bigint list) = sizes |> List.filter (fun n -> n <> 0I) |> List.fold (*) 1I

let private isPossible (sizes: bigint list) = sizes |> List.forall (fun n -> n >= 0I) && product sizes <= most

/// Whether a result with these sizes, and all that is needed for it, is an array that can be.
let fits (width: int) (shape: bigint list) (extra: bigint list) =
    isPossible shape
    && (List.contains 0I shape || product shape * bigint width <= most)
    && extra |> List.forall (fun n -> n <= most)

/// Whether it is small enough to be made for a test.
let isSmall (width: int) (shape: bigint list) (extra: bigint list) =
    let limit = bigint (16 <<< 20)
    let count = if List.contains 0I shape then 0I else product shape
    count * bigint width <= limit && extra |> List.forall (fun n -> n * 4I <= limit)

let private x10 = Tensor.iota 10 |> cast DType.Float32 |> (+) (scalar 1.0 |> cast DType.Float32)
let private x34 = reshape [ 3; 4 ] (Tensor.iota 12 |> cast DType.Float32) + 1.0

let private image = reshape [ 1; 4; 5; 2 ] (Tensor.iota 40 |> cast DType.Float32) + 1.0

let private big (n: int) = bigint n
let private sizes (shape: int seq) = shape |> Seq.map big |> List.ofSeq

/// A number that may be far too large, negative, or one of two whose product wraps round.
let extreme (random: Random) : int =
    if random.Next 3 = 0 then
        random.Next(0, 7)
    else
        extremes[random.Next extremes.Length]

/// A draw by its seed.
let draw (seed: int) : Draw =
    let random = Random seed
    let any () = extreme random

    let a, b, c, d = any (), any (), any (), any ()

    let make names text x moves verdict run = {
        Text = text
        Names = names
        Run = run
        Argument = x
        Verdict = verdict
        Width = 4
        Moves = moves
    }

    let nonnegative (numbers: int list) verdict =
        if numbers |> List.exists (fun n -> n < 0) then Impossible else verdict

    let reshaped (x: Tensor) (target: int list) =
        let total = product (sizes x.Shape)
        let known = target |> List.filter ((<>) -1) |> List.map big
        let free = target.Length - known.Length

        let isPositive = known |> List.forall (fun n -> n > 0I)

        if free = 0 && isPositive && product known = total then
            Gives(known, [])
        elif free = 1 && isPositive && total % product known = 0I then
            Gives(target |> List.map (fun n -> if n = -1 then total / product known else big n), [])
        else
            Impossible

    match random.Next 34 with
    | 0 -> make [ "reshape" ] $"reshape [ {a}; {b} ]" x10 true (reshaped x10 [ a; b ]) (reshape [ a; b ])
    | 1 -> make [ "reshape" ] $"reshape [ {a}; {b}; {c} ]" x34 true (reshaped x34 [ a; b; c ]) (reshape [ a; b; c ])
    | 2 ->
        // an axis of 3 and one of 4, before which there may be others
        let target = [ a; b; (if random.Next 2 = 0 then 3 else c); 4 ]

        let verdict =
            if target[2] = 3 then
                nonnegative target (Gives(sizes target, []))
            else
                Impossible

        make [ "broadcastTo" ] $"broadcastTo %A{target}" x34 true verdict (broadcastTo target)
    | 3 ->
        make
            [ "broadcastTo" ]
            $"broadcastTo [ {a}; {b} ] of one"
            (Tensor.full DType.Float32 [] 7.0)
            true
            (nonnegative [ a; b ] (Gives(sizes [ a; b ], [])))
            (broadcastTo [ a; b ])
    | 4 ->
        let verdict =
            if a < 0 || b < 0 || big a + big b > 10I then
                Impossible
            else
                Gives([ big b ], [])

        make [ "narrow" ] $"narrow 0 {a} {b}" x10 true verdict (narrow 0 a b)
    | 5 ->
        let last = big a + (big b - 1I) * big c

        let verdict =
            if a < 0 || b < 0 || c < 1 || a > 10 || (b > 0 && last >= 10I) then
                Impossible
            else
                Gives([ big b ], [])

        make [ "slice" ] $"slice [ {a} ] [ {b} ] [ {c} ]" x10 true verdict (slice [ a ] [ b ] [ c ])
    | 6 ->
        let verdict = nonnegative [ a; b ] (Gives([ 10I + big a + big b ], []))
        make [ "pad" ] $"pad [ {a}, {b} ]" x10 true verdict (pad [ a, b ])
    | 7 ->
        let verdict = nonnegative [ a; b; c; d ] (Gives([ 3I + big a + big b; 4I + big c + big d ], []))
        make [ "pad" ] $"pad [ {a}, {b}; {c}, {d} ]" x34 true verdict (pad [ a, b; c, d ])
    | 8 ->
        let verdict = nonnegative [ a; b ] (Gives([ 3I * big a; 4I * big b ], []))
        make [ "tile" ] $"tile [ {a}; {b} ]" x34 true verdict (tile [ a; b ])
    | 9 ->
        let verdict = if a >= -10 && a < 10 then Gives([], []) else Impossible
        make [ "index" ] $"index 0 {a}" x10 true verdict (index 0 a)
    | 10 ->
        let verdict =
            if a < 0 || b < 0 || big a + big b <> 10I then
                Impossible
            else
                Gives([ big a ], [])

        make [ "split" ] $"split 0 [ {a}; {b} ]" x10 true verdict (fun x -> (split 0 [ a; b ] x)[0])
    | 11 ->
        let total = max 0 (min 2 a)
        let empty = Tensor.zeros [ 1 <<< 30; 0 ] |> cast DType.Float32

        make
            [ "concat" ]
            $"concat of {total + 1} with 2³⁰ rows"
            empty
            true
            (Gives([ big (total + 1) * (1I <<< 30); 0I ], []))
            (fun x -> concat 0 (List.replicate (total + 1) x))
    | 12 ->
        let verdict = if a < 3 then Impossible else Gives([ big a ], [])

        make
            // an index is checked by the kernel, which has one name for both
            [ "scatterAdd"; "scatter" ]
            $"scatterAdd 0 {a}"
            (Tensor.full DType.Float32 [ 2 ] 5.0)
            true
            verdict
            (scatterAdd 0 a (Tensor.ofSeq [ 2; 0 ]))
    | 13 ->
        let verdict = if a < 3 then Impossible else Gives([ big a; 4I ], [])
        let places = Tensor.create [ 3; 4 ] (Array.init 12 (fun i -> i / 4))
        make [ "scatterAlong"; "scatter" ] $"scatterAlong 0 {a}" x34 true verdict (scatterAlong 0 a places)
    | 14 ->
        let verdict = if a < 2 then Impossible else Gives([ 2I; big a ], [])

        make
            [ "oneHot"; "scatterAlong"; "scatter" ]
            $"oneHot {a}"
            (Tensor.ofSeq [ 1; 0 ])
            true
            verdict
            (oneHot DType.Float32 a)
    | 15 ->
        let verdict = if a < 0 || a > 10 then Impossible else Gives([ big a ], [])
        make [ "topK" ] $"topK 0 {a}" x10 true verdict (topK 0 a >> fst)
    | 16 ->
        let verdict = nonnegative [ a; b ] (Gives(sizes [ a; b ], []))
        make [ "Tensor.full" ] $"full [ {a}; {b} ]" x10 false verdict (fun _ -> Tensor.full DType.Float32 [ a; b ] 1.0)
    | 17 ->
        let verdict = nonnegative [ a; b; c ] (Gives(sizes [ a; b; c ], []))

        {
            make [ "Tensor.zeros" ] $"zeros [ {a}; {b}; {c} ]" x10 false verdict (fun _ -> Tensor.zeros [ a; b; c ]) with
                Width = 8
        }
    | 18 ->
        let verdict = nonnegative [ a ] (Gives([ big a ], []))
        make [ "Tensor.iota" ] $"iota {a}" x10 false verdict (fun _ -> Tensor.iota a)
    | 19 ->
        let verdict = nonnegative [ a ] (Gives([ big a; big a ], []))
        make [ "Tensor.eye" ] $"eye {a}" x10 false verdict (fun _ -> Tensor.eye DType.Float32 a)
    | 20 ->
        let verdict = nonnegative [ a ] (Gives([ big a ], []))

        {
            make [ "Tensor.linspace" ] $"linspace {a}" x10 false verdict (fun _ -> Tensor.linspace 0.0 1.0 a) with
                Width = 8
        }
    | 21 ->
        let verdict =
            if b = 0 then Impossible
            elif sign a <> sign b then Gives([ 0I ], [])
            else Gives([ (abs (big a) + abs (big b) - 1I) / abs (big b) ], [])

        {
            make [ "Tensor.arange" ] $"arange 0 {a} {b}" x10 false verdict (fun _ ->
                Tensor.arange 0.0 (float a) (float b)) with
                Width = 8
        }
    | 22 ->
        let verdict = nonnegative [ a; b ] (Gives(sizes [ a; b ], []))

        make [ "Random.uniform" ] $"Random.uniform [ {a}; {b} ]" x10 false verdict (fun _ ->
            Random.uniform DType.Float32 [ a; b ] (Key.create 1L))
    | 23 ->
        let verdict = nonnegative [ a ] (Gives([ big a ], []))

        {
            make [ "Key.split" ] $"Key.splitTensor {a}" x10 false verdict (fun _ -> Key.splitTensor a (Key.create 1L)) with
                Width = 8
        }
    | 24 ->
        let n = 1 <<< (10 + abs (a % 10))
        let text = $"column and row of {n}, added"

        make
            [ "add"; "broadcastTo" ]
            text
            (Tensor.full DType.Float32 [ n; 1 ] 1.0)
            false
            (Gives([ big n; big n ], []))
            (fun x -> x + transpose x)
    | 25 ->
        let n = if a < 0 then 65536 else min (max a 1) (1 <<< 30)
        let empty = Tensor.full DType.Float32 [ n; 0 ] 0.0

        make [ "matmul" ] $"product of {n}×0 and 0×{n}" empty false (Gives([ big n; big n ], [])) (fun x ->
            x *@ transpose x)
    | 26 ->
        let reach = (big b - 1I) * big d + 1I
        let padded = 10I + 2I * big c

        let verdict =
            if a < 1 || b < 1 || c < 0 || d < 1 || reach > padded then
                Impossible
            elif padded > (1I <<< 30) || a > (1 <<< 30) || d > (1 <<< 30) || big c >= reach then
                // beyond what windows can be: refused
                Impossible
            else
                Gives([ 1I; (padded - reach) / big a + 1I; 1I ], [ 2I * padded; big b ])

        let options = {
            Pool.window [ b ] with
                Strides = [ a ]
                Padding = Padding.Explicit [ c, c ]
                Dilations = [ d ]
        }

        make
            [ "maxPool" ]
            $"maxPool {b}, stride {a}, padding {c}, dilation {d}"
            (reshape [ 1; 10; 1 ] x10)
            true
            verdict
            (maxPool options)
    | 27 ->
        let reach = 2I * big d + 1I
        let padded = 10I + 2I * big c

        let verdict =
            if a < 1 || c < 0 || d < 1 || reach > padded then Impossible
            elif padded > (1I <<< 30) || a > (1 <<< 30) || d > (1 <<< 30) then Impossible
            else Gives([ 1I; (padded - reach) / big a + 1I; 2I ], [ 2I * padded ])

        let options = {
            ConvOptions.defaults with
                Strides = [ a ]
                Padding = Padding.Explicit [ c, c ]
                Dilations = [ d ]
        }

        let kernel = Tensor.full DType.Float32 [ 3; 1; 2 ] 0.5

        make
            [ "conv" ]
            $"conv 3, stride {a}, padding {c}, dilation {d}"
            (reshape [ 1; 10; 1 ] x10)
            false
            verdict
            (conv options kernel)
    | 28 ->
        let verdict =
            if a < 1 then
                Impossible
            else
                let size = 10I * big a + max 0I (3I - big a)

                if size > (1I <<< 30) || a > (1 <<< 30) then
                    Impossible
                else
                    Gives([ 1I; size; 1I ], [ size ])

        let kernel = Tensor.full DType.Float32 [ 3; 1; 1 ] 0.5

        make
            [ "convTranspose" ]
            $"convTranspose 3, stride {a}"
            (reshape [ 1; 10; 1 ] x10)
            false
            verdict
            (convTranspose { ConvOptions.defaults with Strides = [ a ] } kernel)
    | 29 ->
        let verdict = nonnegative [ a; b; c; d ] (Gives([ 1I; 4I + big a + big b; 5I + big c + big d; 2I ], []))

        make
            [ "zeroPadding"; "pad" ]
            $"zeroPadding [ {a}, {b}; {c}, {d} ]"
            image
            true
            verdict
            (zeroPadding [ a, b; c, d ])
    | 30 ->
        let verdict =
            if a < 0 || b < 0 || c < 0 || d < 0 || big a + big b > 3I || big c + big d > 4I then
                Impossible
            else
                Gives([ 1I; 4I - big a - big b; 5I - big c - big d; 2I ], [])

        make [ "cropping" ] $"cropping [ {a}, {b}; {c}, {d} ]" image true verdict (cropping [ a, b; c, d ])
    | 31 ->
        let verdict =
            if a < 1 || b < 1 then
                Impossible
            else
                Gives([ 1I; 4I * big a; 5I * big b; 2I ], [])
        // each place between two is an operation of its own
        let isShort = max a b <= 8 || big a * big b > most
        let bilinear = isShort && random.Next 2 = 0

        let names, f =
            if bilinear then
                "bilinearUpSampling", bilinearUpSampling
            else
                "upSampling", upSampling

        make [ names ] $"{names} [ {a}; {b} ]" image false verdict (f [ a; b ])
    | 32 ->
        let verdict =
            if a < 1 || b < 1 || a > 10 then
                Impossible
            else
                Gives([ (10I - big a) / big b + 1I; big a ], [])

        make [ "Prepare.windows" ] $"Prepare.windows {a} {b}" x10 true verdict (Prepare.windows a b)
    | _ ->
        let rows = random.Next(1, 40)
        let verdict = nonnegative [ a; b ] (Gives([ big rows; big a; big b ], [ big a * big b ]))
        let xs = Tensor.full DType.Float32 [ rows ] 3.0

        make [ "broadcastTo"; "scan" ] $"scan of {rows} steps that stack [ {a}; {b} ]" xs true verdict (fun xs ->
            snd (scan (fun () (x: Tensor) -> (), broadcastTo [ a; b ] x) () xs))
