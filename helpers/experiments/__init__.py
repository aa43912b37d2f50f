"""Experiments: settings in, a result dataclass out; no drawing. One file per notebook.

Every arm of a comparison is rebuilt from the same seed, so arms are paired: network k of each
meets the same data, the same initial weights and the same mini-batches. Experiments whose numbers
are printed train in float64: in float32 another machine's BLAS changes the third decimal.
"""
