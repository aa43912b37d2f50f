"""The course's own package. This docstring is its map; nothing is re-exported.

The core, to be read in an hour, in this order:
    layers            Dense, BatchNorm, LayerNorm, GroupNorm, Dropout, ReLU, ...: forward and
                      backward
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
    randomness        one seed grows into independent streams
    checks            errors that speak to the learner
    files             written whole or not at all
    arithmetic        where the obvious NumPy line is slow: what the core calls instead

What makes a notebook page alive, the same for every notebook, is in page: panel (controls above, a
picture that follows them), prediction (bets, which cover their answers), exercise, picture and its
parts, drawing (the network), progress, alive (what is left of a demo on another day).

One folder for each notebook, its room, with what only it needs:
    experiments       its measures and disturbances, what its demos and the ledger call; no drawing
    pictures          a result in, a labelled picture out; no computing
    demos             controls wired to an experiment and a picture, and bets
    exercises         reference answers, checks that name the mistake
    covariate_shift 01, batch_norm_mechanics 02, hidden_layer_stability 03, minibatch_noise 04,
    weighing_the_evidence 05 (with its ledger, which measures every claim), in_practice 06,
    closing_quiz 07, lecture 00 (the board; `python -m helpers.lecture.precompute` computes the
    tables in data/)

Three commands, apart:
    execute           `python -m helpers.execute` runs all notebooks in place
    grade             `python -m helpers.grade` grades those that students hand in
    slides            `jupyter nbconvert --to slides --config helpers/slides/config.py` shows them
"""
