/// The verifier of plans: it knows who wrote what, and a plan that reads what the wrong step wrote is refused.
module Functional.Tests.ShadowTests

open Expecto
open Functional
open Functional.Compiling
open Functional.Plans
open Functional.Rewrites
open Functional.Kernels
open Functional.Levels
open Functional.Tracing
open Functional.Operations

let private array (size: int) = Memory.own "test" { Shape = [| size |]; DType = DType.Float64 }

/// Some of an array's elements, in place.
let private part (first: int) (count: int) (x: NDArray) =
    let view = StorageView.Of(x.Storage, 8 * count)
    view.MoveTo(8 * first)
    NDArray([| count |], view, x.DType)

let private refuses f = Expect.throwsT<System.InvalidOperationException> f "what another wrote is refused"

[<Tests>]
let tests =
    testList "shadow" [
        test "an array is what was last written there" {
            let shadow, x = Shadow(), array 8
            let one, two = Written "one", Written "two"
            shadow.Write(x, one)
            let before = shadow.Read x
            shadow.Require("x", before, x)
            shadow.Write(part 2 3 x, two)
            refuses (fun () -> shadow.Require("x", before, x))
            Expect.equal (shadow.Read x).Length 3 "one, two, one"
            shadow.Require("the part", [| struct (0L, two) |], part 3 2 x)
            shadow.Write(part 0 8 x, one)
            shadow.Require("x", before, x)
        }
        test "a copy has the writers of what was copied" {
            let shadow, x, y = Shadow(), array 4, array 4
            shadow.Write(x, Written "first")
            shadow.Write(part 1 2 x, Written "second")
            shadow.Copied(x, y)
            shadow.Require("y", shadow.Read x, y)
            shadow.Write(part 0 1 x, Written "third")
            refuses (fun () -> shadow.Require("y", shadow.Read x, y))
        }
        test "a plan whose value is overwritten before it is read is refused" {
            let graph =
                Trace.graph [| { Shape = [| 3; 3 |]; DType = DType.Float64 } |] (fun v ->
                    let y = v[0] *@ v[0]
                    let z = y *@ v[0]
                    [| y; z; y *@ z |])

            let shadow = Shadow()
            let plan = Plan.make graph (Plan.Writable graph) Passes.all shadow

            for v in 0 .. graph.Specs.Length - 1 do
                plan.Put(v, Memory.own "test" graph.Specs[v])

            plan.Run()
            // both products in one place
            let first, second = plan.Layout.Writes[0][0], plan.Layout.Writes[1][0]
            plan.Put(second, plan[first])
            refuses plan.Run
        }
    ]
