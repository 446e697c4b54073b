namespace Functional.Operations

/// What goes into a loop or comes out of it, in its three sections. In a loop's flat lists they stand in a row.
type Sections<'T> = {
    /// What is the same in every step; results have none.
    Constants: 'T[]
    /// What one step hands on to the next.
    Carry: 'T[]
    /// What has a place for every step.
    Stacked: 'T[]
}

[<RequireQualifiedAccess>]
module internal Sections =

    /// A flat list with so many constants and so many carries.
    let cut (constants: int) (carry: int) (all: 'T[]) : Sections<'T> = {
        Constants = Array.sub all 0 constants
        Carry = Array.sub all constants carry
        Stacked = Array.skip (constants + carry) all
    }

    let flat (s: Sections<'T>) : 'T[] = Array.concat [ s.Constants; s.Carry; s.Stacked ]

    let map (f: 'T -> 'U) (s: Sections<'T>) : Sections<'U> = {
        Constants = Array.map f s.Constants
        Carry = Array.map f s.Carry
        Stacked = Array.map f s.Stacked
    }

    let filter (f: 'T -> bool) (s: Sections<'T>) : Sections<'T> = {
        Constants = Array.filter f s.Constants
        Carry = Array.filter f s.Carry
        Stacked = Array.filter f s.Stacked
    }

    /// In every section first what is in that of `a`, then what is in that of `b`.
    let beside (a: Sections<'T>) (b: Sections<'T>) : Sections<'T> = {
        Constants = Array.append a.Constants b.Constants
        Carry = Array.append a.Carry b.Carry
        Stacked = Array.append a.Stacked b.Stacked
    }

    /// A flat list in sections as long as these, each cut in two: what was beside what.
    let apart (a: Sections<'A>) (b: Sections<'B>) (all: 'T[]) : Sections<'T> * Sections<'T> =
        let both = cut (a.Constants.Length + b.Constants.Length) (a.Carry.Length + b.Carry.Length) all

        let halves n (section: 'T[]) = Array.splitAt n section
        let constants, carry = halves a.Constants.Length both.Constants, halves a.Carry.Length both.Carry
        let stacked = halves a.Stacked.Length both.Stacked

        { Constants = fst constants; Carry = fst carry; Stacked = fst stacked },
        { Constants = snd constants; Carry = snd carry; Stacked = snd stacked }
