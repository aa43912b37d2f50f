"""The course's own package. This docstring is its map; nothing is re-exported.

The core, to be read in an hour, in this order:
    layers            Dense, BatchNorm, Dropout, ReLU, Tanh, Sigmoid: forward and backward
    network           a Network is a list of layers; softmax_cross_entropy
    training          SGD, minibatches, train
    datasets          the Fashion-MNIST subset and a 2-D toy problem
    faces             draws cats and non-cats in coats of any colour
    recoloured        pictures in black and in colour, as training and test sets
    arms              kinds of networks trained on the same data and seed, watched and compared
    long_work         the share done and the result so far; kept for who asks again
    layer_statistics  what a layer receives, recorded from outside
    shift             how far apart two sets of inputs are, and importance weights
    intervals         95% intervals over seeds, and how numbers are printed
    sweep             one experiment at many settings, on all cores or on a cluster
    randomness        one seed grows into independent streams
    checks            errors that speak to the learner
    arithmetic        where the obvious NumPy line is slow: what the core calls instead

The course, one file per notebook in each folder:
    experiments       what is special to a notebook: its measures and disturbances, what its demos
                      and the ledger call; no drawing (other_suspects: notebook 05's own, beside
                      its ledger; precompute: `python -m helpers.experiments.precompute` computes
                      the tables in data/)
    figures           a result in, a labelled picture out; no computing (picture, parts: for all)
    demos             controls wired to an experiment and a picture, and bets (panel, prediction,
                      progress: for all; lecture_beats: what the board of lecture_demos asks)
    exercises         reference answers, checks that name the mistake (exercise: for all)

    execute           `python -m helpers.execute` runs all notebooks in place
"""
