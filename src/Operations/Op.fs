namespace Functional
module Dummy =
    let x = 1
