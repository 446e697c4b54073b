namespace Functional

// Parts of a parameter tree that are carried along and saved, but not trained: running statistics, and layers whose
// weights are to stay as they are.

/// A part of a parameter tree that no gradient reaches and no optimiser changes. `Tree.leaves` includes its tensors,
/// `Tree.trainable` says false for them, `grad` gives zeros; it adds nothing to their paths.
/// Example: `{ net with Hidden1 = { Value = pretrained } }` where `Hidden1: Frozen<Dense>`.
type Frozen<'T> = { Value: 'T }

/// A frozen tensor.
type Frozen = Frozen<Tensor>
