namespace Functional

// A recurrent cell that looks at a memory before every step: Bahdanau, Cho and Bengio, "Neural machine translation by
// jointly learning to align and translate" (2015). It is a cell like any other, so that what runs cells runs it.

/// What a cell attends to: how many places it has, how many features come from there, and attention itself, from queries
/// [batch, queries, features] to what was found [batch, queries, units] and the weights. Whoever makes it has done what
/// does not depend on the query.
type Memory = { Places: int; Units: int; Attend: Tensor -> Tensor * Tensor }

/// The state of a cell that may attend.
type Attentive<'S> = {
    State: 'S
    /// The weights of the last look at the memory, [batch, places], the mean of several heads; None: there is no memory.
    Weights: Tensor option
}

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Attentive =

    /// Memory of keys [batch, places, features] and values [batch, places, units], and what attends to them.
    /// Example: `Attentive.memory (AdditiveAttention.over options net.Attention) outputs outputs`.
    let memory (over: Tensor -> Tensor -> Tensor -> Tensor * Tensor) (keys: Tensor) (values: Tensor) : Memory = {
        Places = values.Shape[values.Rank - 2]
        Units = values.Shape[values.Rank - 1]
        Attend = over keys values
    }

    /// A state of the cell within, before the first look.
    let start (memory: Memory option) (output: Tensor) (state: 'S) : Attentive<'S> = {
        State = state
        Weights = memory |> Option.map (fun m -> Tensor.full output.DType [| output.Shape[0]; m.Places |] 0.0)
    }

    let private look (memory: Memory) (query: Tensor) =
        let found, weights = memory.Attend(expandDims 1 query)
        let weights = if weights.Rank = 4 then meanOver [ 1 ] weights else weights
        struct (squeeze [ 1 ] found, squeeze [ 1 ] weights)

    /// The cell with a memory, which its output of the step before asks; what is found there stands beside the step's
    /// inputs, so that its kernel reads that many features more. Without a memory it is the cell itself. The weights of
    /// all steps are the outputs of `{ cell with Output = fun s -> s.Weights.Value }`.
    let cell (memory: Memory option) (inner: Cell<'P, 'S>) : Cell<'P, Attentive<'S>> =
        let extra =
            match memory with
            | Some m -> m.Units
            | None -> 0

        {
            Name = inner.Name
            Initialize = fun settings key inputs units -> inner.Initialize settings key (inputs + extra) units
            Inputs = fun p -> inner.Inputs p - extra
            Units = inner.Units
            Start =
                fun p batch ->
                    let state = inner.Start p batch
                    start memory (inner.Output state) state
            Project =
                match memory with
                | Some _ -> fun _ x -> x
                | None -> inner.Project
            Step =
                fun p ->
                    let step = inner.Step p

                    fun keep s x ->
                        match memory with
                        | None -> { s with State = step keep s.State x }
                        | Some memory ->
                            let struct (found, weights) = look memory (inner.Output s.State)

                            {
                                State = step keep s.State (inner.Project p (concat -1 [ x; found ]))
                                Weights = Some weights
                            }
            Output = fun s -> inner.Output s.State
        }
