/// Sobol's sequence: 2^k points of which every box with sides of powers of ½ has its share, in every coordinate.
module internal Functional.Sobol

/// For each coordinate after the first a primitive polynomial over {0, 1} (its degree, and its inner coefficients as bits)
/// and the first direction numbers: S. Joe, F. Kuo, "Constructing Sobol sequences with better two-dimensional projections"
/// (2008), the first of their table.
let table: (int * int * int list) list = [
    1, 0, [ 1 ]
    2, 1, [ 1; 3 ]
    3, 1, [ 1; 3; 1 ]
    3, 2, [ 1; 1; 1 ]
    4, 1, [ 1; 1; 3; 3 ]
    4, 4, [ 1; 3; 5; 13 ]
    5, 2, [ 1; 1; 5; 5; 17 ]
    5, 4, [ 1; 1; 5; 5; 5 ]
    5, 7, [ 1; 1; 7; 11; 19 ]
    5, 11, [ 1; 1; 5; 1; 1 ]
    5, 13, [ 1; 1; 1; 3; 11 ]
    5, 14, [ 1; 3; 5; 5; 31 ]
    6, 1, [ 1; 3; 3; 9; 7; 49 ]
    6, 13, [ 1; 1; 1; 15; 21; 21 ]
    6, 16, [ 1; 3; 1; 13; 27; 49 ]
    6, 19, [ 1; 1; 1; 15; 7; 5 ]
    6, 22, [ 1; 3; 1; 15; 13; 25 ]
    6, 25, [ 1; 1; 5; 5; 19; 61 ]
    7, 1, [ 1; 3; 7; 11; 23; 15; 103 ]
    7, 4, [ 1; 3; 7; 13; 13; 15; 69 ]
]

/// How many coordinates there are at most.
let mostDimensions = table.Length + 1

[<Literal>]
let private Bits = 32

/// The direction numbers of a coordinate, each as a fraction of 2^32.
let private directions (coordinate: int) : uint32[] =
    if coordinate = 0 then
        Array.init Bits (fun k -> 1u <<< (Bits - 1 - k))
    else
        let degree, inner, first = table[coordinate - 1]
        let v = Array.zeroCreate<uint32> Bits

        for k in 0 .. Bits - 1 do
            v[k] <-
                if k < degree then
                    uint32 first[k] <<< (Bits - 1 - k)
                else
                    let mutable next = v[k - degree] ^^^ (v[k - degree] >>> degree)

                    for j in 1 .. degree - 1 do
                        if (inner >>> (degree - 1 - j)) &&& 1 = 1 then
                            next <- next ^^^ v[k - j]

                    next

        v

/// The first n points of d coordinates in [0, 1), row by row, in the order of Gray's code.
let points (n: int) (d: int) : float[] =
    let v = Array.init d directions
    let current = Array.zeroCreate<uint32> d
    let all = Array.zeroCreate<float>(n * d)

    for i in 0 .. n - 1 do
        if i > 0 then
            let place = System.Numerics.BitOperations.TrailingZeroCount i

            for k in 0 .. d - 1 do
                current[k] <- current[k] ^^^ v[k][place]

        for k in 0 .. d - 1 do
            all[i * d + k] <- float current[k] / 4294967296.0

    all
