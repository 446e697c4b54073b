/// Trees that contain themselves, of any depth: what is in them, in which order, and that they come back as they were. A
/// walk over the values by hand is the judge.
module Functional.Tests.TreeTests

open System
open System.IO
open Expecto
open Functional
open Functional.Tests.Folders
open Functional.Tests.Selection

type Chain = { W: Tensor; Next: Chain option }
type Node = { Weights: Tensor; Children: Node list; Name: string }
type Branch = { Bias: Tensor; Parts: Branch[]; Named: Map<string, Branch> }

type Expression =
    | Leaf of Tensor
    | Sum of left: Expression * right: Expression
    | Scaled of float * Expression
    | Held of Frozen<Expression>

/// Two types that contain each other.
type Even = { Half: Tensor; Odd: Odd option }
and Odd = { Rest: Even list; Label: int }

[<Struct>]
type Link = { Value: Tensor; Behind: Link list }

/// A type whose parts are of ever larger types.
type Growing<'T> = { Here: 'T; Twice: Growing<'T * 'T> option }

type Holder = { Content: obj; More: Tensor }

let private scalars n = Array.init n (fun i -> Tensor.scalar (float i))

let private numbers (tree: 'P) = Tree.leaves tree |> Array.map Tensor.toFloat

/// The same numbers through every function that goes over a tree, and the tree itself after each.
let private goesThrough (what: string) (expected: float[]) (tree: 'P) =
    Expect.equal (numbers tree) expected $"{what}: leaves"
    Expect.equal (numbers (Tree.map (fun t -> t + 1.0) tree)) (expected |> Array.map ((+) 1.0)) $"{what}: map"
    Expect.equal (numbers (Tree.map2 (-) tree tree)) (Array.zeroCreate expected.Length) $"{what}: map2"

    Expect.equal
        (numbers (Tree.rebuild tree (scalars expected.Length)))
        (Array.init expected.Length float)
        $"{what}: rebuild"

    Expect.equal (Tree.count tree) expected.Length $"{what}: count"
    Expect.equal (Tree.statics (Tree.map id tree)) (Tree.statics tree) $"{what}: statics"
    Expect.equal (Tree.trainable tree).Length expected.Length $"{what}: trainable"

    // d/dw Σ w²/2 = w, and 0 where it is frozen
    let gradient =
        grad (fun p -> Tree.leaves p |> Array.map square |> Array.reduce (+) |> (*) (scalar 0.5)) tree

    Expect.equal
        (numbers gradient)
        (Array.map2 (fun w trained -> if trained then w else 0.0) expected (Tree.trainable tree))
        $"{what}: gradient"

let private deepest = 100_000

// ---- random values of types that contain themselves, with their numbers as a walk by hand finds them

let private next (random: Random) = float (random.Next 1000)

let rec private drawNode (random: Random) depth : Node * float list =
    let number = next random
    let children = [ for _ in 1 .. (if depth = 0 then 0 else random.Next 4) -> drawNode random (depth - 1) ]

    {
        Weights = Tensor.scalar number
        Children = List.map fst children
        Name = string number
    },
    number :: List.collect snd children

let rec private drawBranch (random: Random) depth : Branch * float list =
    let number = next random
    let some () = [ for _ in 1 .. (if depth = 0 then 0 else random.Next 3) -> drawBranch random (depth - 1) ]
    let parts, named = some (), some ()

    {
        Bias = Tensor.scalar number
        Parts = parts |> List.map fst |> Array.ofList
        Named = named |> List.mapi (fun i (branch, _) -> $"k{i}", branch) |> Map.ofList
    },
    number :: List.collect snd parts @ List.collect snd named

let rec private drawExpression (random: Random) depth : Expression * float list =
    match (if depth = 0 then 0 else random.Next 4) with
    | 0 ->
        let number = next random
        Leaf(Tensor.scalar number), [ number ]
    | 1 ->
        let left, these = drawExpression random (depth - 1)
        let right, those = drawExpression random (depth - 1)
        Sum(left, right), these @ those
    | 2 ->
        let inner, these = drawExpression random (depth - 1)
        Scaled(next random, inner), these
    | _ ->
        let inner, these = drawExpression random (depth - 1)
        Held { Value = inner }, these

let rec private drawEven (random: Random) depth : Even * float list =
    let number = next random

    if depth = 0 then
        { Half = Tensor.scalar number; Odd = None }, [ number ]
    else
        let rest = [ for _ in 1 .. random.Next 3 -> drawEven random (depth - 1) ]

        {
            Half = Tensor.scalar number
            Odd = Some { Rest = List.map fst rest; Label = depth }
        },
        number :: List.collect snd rest

let private saves (what: string) (expected: float[]) (tree: 'P) =
    inFolder
        (fun folder ->
            let path = Path.Combine(folder, "tree.safetensors")
            Checkpoint.save path tree
            let loaded = Checkpoint.load path (Tree.map Tensor.zerosLike tree)
            Expect.equal (numbers loaded) expected $"{what}: saved and loaded"
            Expect.equal (Tree.statics loaded) (Tree.statics tree) $"{what}: settings")
        ()

let private drawn (what: string) (draw: Random -> int -> 'P * float list) =
    testCase $"random values: {what}"
    <| fun () ->
        let random = Random 21

        for _ in 1 .. draws 15 do
            let tree, expected = draw random (random.Next 5)
            let expected = Array.ofList expected
            goesThrough what expected tree
            let paths = Tree.paths tree
            Expect.equal (Array.distinct paths).Length expected.Length $"{what}: a path for each"
            saves what expected tree

/// A value as deep as is asked for goes through; what needs a name for each level says that there are none.
let private deep (what: string) (make: int -> 'P) =
    testCase $"{deepest} levels of {what}"
    <| fun () ->
        let tree = make deepest
        goesThrough what (Array.init deepest float) tree

        let refuses operation (work: unit -> unit) =
            messageOf<ArgumentException> work |> mentions [ "so deep"; "a list or an array" ]
            ignore operation

        refuses "paths" (fun () -> Tree.paths tree |> ignore)

        inFolder
            (fun folder ->
                let path = Path.Combine(folder, "deep.safetensors")
                refuses "save" (fun () -> Checkpoint.save path tree)
                Expect.isEmpty (Directory.GetFiles folder) "nothing is written")
            ()

        refuses "compile" (fun () -> compile (fun (p: 'P) -> (Tree.leaves p)[0]) tree |> ignore)

[<Tests>]
let tests =
    testList "trees that contain themselves" [
        drawn "records with lists" drawNode
        drawn "records with arrays and maps" drawBranch
        drawn "unions" drawExpression
        drawn "records of each other" drawEven

        testCase "paths say the way"
        <| fun () ->
            let leaf name = { Weights = Tensor.scalar 0.0; Children = []; Name = name }

            let tree = {
                leaf "a" with
                    Children = [ leaf "b"; { leaf "c" with Children = [ leaf "d" ] } ]
            }

            Expect.equal
                (Tree.paths tree)
                [| "Weights"; "Children[0].Weights"; "Children[1].Weights"; "Children[1].Children[0].Weights" |]
                "records"

            Expect.equal
                (Tree.paths { W = scalar 1.0; Next = Some { W = scalar 2.0; Next = None } })
                [| "W"; "Next.W" |]
                "options"

            Expect.equal
                (Tree.paths (Sum(Leaf(scalar 1.0), Scaled(2.0, Leaf(scalar 1.0)))))
                [| "Sum.left.Leaf"; "Sum.right.Scaled.Item2.Leaf" |]
                "unions"

        deep "a record" (fun depth ->
            let mutable chain = None

            for i in depth - 1 .. -1 .. 0 do
                chain <- Some { W = Tensor.scalar (float i); Next = chain }

            chain.Value)
        |> slow

        deep "a record in a list" (fun depth ->
            let mutable children = []

            for i in depth - 1 .. -1 .. 0 do
                children <- [ { Weights = Tensor.scalar (float i); Children = children; Name = "" } ]

            children)
        |> slow

        deep "a struct" (fun depth ->
            let mutable links = []

            for i in depth - 1 .. -1 .. 0 do
                links <- [ { Value = Tensor.scalar (float i); Behind = links } ]

            links)
        |> slow

        deep "a union" (fun depth ->
            let mutable expression = Leaf(Tensor.scalar (float (depth - 1)))

            for i in depth - 2 .. -1 .. 0 do
                expression <- Sum(Leaf(Tensor.scalar (float i)), expression)

            expression)
        |> slow

        deep "objects" (fun depth ->
            let mutable holder = box null

            for i in depth - 1 .. -1 .. 0 do
                // what comes first in a record comes first
                holder <- box (Tensor.scalar (float i), holder)

            { Content = box "none"; More = Tensor.scalar 0.0 } |> ignore
            holder)
        |> slow

        testCase "a type whose parts are of ever larger types"
        <| fun () ->
            let tree = {
                Here = Tensor.scalar 1.0
                Twice = Some { Here = (Tensor.scalar 2.0, Tensor.scalar 3.0); Twice = None }
            }

            goesThrough "growing" [| 1.0; 2.0; 3.0 |] tree

        testCase "a value that contains itself is refused"
        <| fun () ->
            let items: obj[] = [| null |]
            items[0] <- box items
            let tree = { Content = items; More = scalar 1.0 }
            messageOf<ArgumentException>(fun () -> Tree.leaves tree |> ignore) |> mentions [ "contains itself" ]
        |> slow

        testCase "collections that can be changed are refused, not taken for empty"
        <| fun () ->
            let refused (tree: 'P) (name: string) =
                messageOf<ArgumentException>(fun () -> Tree.leaves tree |> ignore)
                |> mentions [ "cannot hold a"; name ]

            refused (Collections.Generic.Dictionary<string, Tensor>()) "Dictionary"
            refused (ResizeArray [ scalar 1.0 ]) "List"
            refused {| Table = Collections.Generic.Stack [ scalar 1.0 ] |} "Stack"
            refused {| Table = Collections.Generic.Queue [ scalar 1.0 ] |} "Queue"
    ]
