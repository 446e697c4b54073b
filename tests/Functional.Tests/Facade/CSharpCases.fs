/// The facade's tests that are written in C#, run as tests like any other.
module Functional.Tests.Facade.CSharpCases

open System
open Expecto
open Fixtures

let private cases name (all: seq<struct (string * Action)>) =
    testList name [ for struct (name, run) in all -> testCase name run.Invoke ]

[<Tests>]
let tests =
    testList "facade" [
        cases "tensors" (TensorCases.All())
        cases "derivatives" (DifferentiationCases.All())
        cases "models" (ModelCases.All())
        cases "saving" (SavingCases.All())
        cases "training" (TrainingCases.All())
        cases "what Keras honours" (SilenceCases.All())
        cases "names of losses and optimisers" (NameCases.All())
        cases "weights of data, batch by batch" (WeightCases.All())
        cases "images" (ImageCases.All())
        cases "sequences" (SequenceCases.All())
        cases "attention" (AttentionCases.All())
        cases "stateful" (StatefulCases.All())
        cases "lengths" (LengthCases.All())
        cases "graphs" (GraphCases.All())
    ]
