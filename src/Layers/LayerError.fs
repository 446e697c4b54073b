/// What layers say of errors of what is inside them.
module internal Functional.LayerError

open System.Text.RegularExpressions

/// What an error says, without the name of the parameter behind it: the message goes into that of another.
let reason (e: System.ArgumentException) : string =
    match e.ParamName with
    | null
    | "" -> e.Message
    | name -> e.Message.Replace($" (Parameter '{name}')", "")

/// The same where shapes were found by asking about no examples: what is 0 there is the batch.
let reasonOfNone (e: System.ArgumentException) : string = Regex.Replace(reason e, @"(?<![\d×.])0×", "batch×")
