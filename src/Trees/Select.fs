/// Which leaves of a tree are meant: a truth for each, in the order of `Tree.leaves`. Parts are named as the program names
/// them, not by text, so that what is renamed is renamed here too, or does not compile.
[<RequireQualifiedAccess>]
module Functional.Select

open System.Collections.Generic

/// The leaves of a part of a tree, whatever stands in them. The function takes the part out and does nothing else.
/// Errors: it returns tensors that are not in the tree.
/// Example: `Select.part (fun (net: Net) -> net.Hidden1, net.Output.Bias) net`.
let part (part: 'P -> 'Q) (tree: 'P) : bool[] =
    // stand-ins, since one tensor may stand at several places
    let leaves = Tree.leaves tree |> Array.map (fun _ -> Tensor.scalar 0.0)
    let found = HashSet<Tensor>(Tree.leaves (part (Tree.rebuild tree leaves)), HashIdentity.Reference)
    let chosen = leaves |> Array.map found.Contains

    if found.Count <> (chosen |> Array.sumBy (fun isChosen -> if isChosen then 1 else 0)) then
        invalidArg
            "part"
            "Select.part: the function returns tensors that are not in the tree; it takes a part out of it"

    chosen

/// The leaves that stand directly in a field of this name, wherever it is in the tree.
/// Example: `Select.field (nameof net.Output.Bias) net`: the biases of all layers.
let field (name: string) (tree: 'P) : bool[] = Tree.fields tree |> Array.map ((=) name)
