"""What is special to one notebook; the notebooks themselves write their experiments. No drawing.

Every arm of a comparison starts from the same seed, so arms are paired: network k of each meets
the same data, the same initial weights and the same mini-batches. What is printed trains in
float64: in float32 another machine's BLAS changes the third decimal.
"""
