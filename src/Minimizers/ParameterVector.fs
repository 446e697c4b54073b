/// Parameters as the minimisers see them: the trained leaves of a tree as one vector. Frozen and integer leaves stay as they are.
module internal Functional.ParameterVector

open Functional.Operations

let private trained (operation: string) (tree: 'P) : struct (Tensor[] * int[]) =
    match Tree.trainedPlaces tree with
    | struct ([||], _) ->
        invalidArg "parameters" $"{operation}: the parameters, {TypeName.show typeof<'P>}, hold no tensor"
    | struct (_, [||]) ->
        invalidArg
            "parameters"
            $"{operation}: none of the parameters is trained: tensors of a float type that are not frozen are"
    | found -> found

let private pick (places: int[]) (xs: Tensor[]) = if isNull places then xs else Array.map (fun i -> xs[i]) places

/// The trained numbers of a tree.
let ofTree (operation: string) (tree: 'P) : Tensor =
    let struct (xs, places) = trained operation tree
    Tree.join operation (pick places xs)

/// The tree with other trained numbers.
let toTree (operation: string) (tree: 'P) (v: Tensor) : 'P =
    let struct (xs, places) = trained operation tree
    let pieces = Tree.cut operation (pick places xs) v

    if isNull places then
        Tree.rebuild tree pieces
    else
        let all = Array.copy xs
        places |> Array.iteri (fun k i -> all[i] <- pieces[k])
        Tree.rebuild tree all

/// The tensor and the place in it that an element of the vector belongs to, in words: `Weights[3]`.
let nameOf (tree: 'P) (element: int) : string =
    let struct (xs, places) = Tree.trainedPlaces tree
    let places = if isNull places then [| 0 .. xs.Length - 1 |] else places
    let paths = Tree.paths tree

    let rec find k element =
        let x = xs[places[k]]

        if element < Tensor.size x then
            let path = if paths[places[k]] = "" then "the parameter" else paths[places[k]]

            let rec coordinates (sizes: int list) element =
                match sizes with
                | [] -> []
                | size :: rest -> coordinates rest (element / size) @ [ element % size ]

            if x.Rank = 0 then
                path
            else
                let at = coordinates (List.rev (List.ofArray x.Shape)) element |> List.map string |> String.concat ", "
                $"{path}[{at}]"
        else
            find (k + 1) (element - Tensor.size x)

    find 0 element

/// A matrix times a vector.
let times (a: Tensor) (x: Tensor) : Tensor = a *@ expandDims -1 x |> squeeze [ -1 ]

/// A transposed matrix times a vector.
let timesTransposed (a: Tensor) (x: Tensor) : Tensor = times (transpose a) x

/// The distance of 1 from the next number of a float type.
let epsilon (dtype: DType) : float = if dtype = DType.Float32 then 1.1920929e-7 else 2.220446049250313e-16
