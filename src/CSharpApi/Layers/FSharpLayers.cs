// What F# calls a layer, by the types of what goes through it.
global using Block = Functional.Layer<object, Functional.Masked[], int[][]>;
global using WeightlessBlock = Functional.Layer<Microsoft.FSharp.Core.Unit, Functional.Masked[], int[][]>;
global using WeightlessLayer = Functional.Layer<Microsoft.FSharp.Core.Unit, Functional.Tensor, int[]>;
