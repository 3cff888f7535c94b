"""Branches of a root seed: which random stream belongs to what.

Simulations are numbered from 0. Whatever is done with them afterwards draws below the
last number there is, each use below a branch of its own, so that no two uses share a
stream. New uses go to the end of the list: the numbers decide what is drawn.
"""

# A seed's branches are numbered with 32 bits, and no campaign reaches the last of them.
LEARNING = 2**32 - 1
(
    ORDER,
    TRAIN_NOISE,
    VALIDATION_NOISE,
    TEST_NOISE,
    TARP,
    SBC,
    PREDICTIVE,
    MISSPECIFICATION,
    MEMBERS,
    BOOTSTRAP,
) = range(10)
