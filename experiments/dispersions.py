"""What velocity dispersions add: both galaxies' masses and the stellar halo's anisotropy.

python experiments/dispersions.py                        # forecast; SDSS and DESI as one
python experiments/dispersions.py --data sdss desi       # each survey by itself
python experiments/dispersions.py --infer beta0 r_dehnen m_lmc
python experiments/dispersions.py --simulations 32768    # as many as the follow-up paper
python experiments/dispersions.py --without-lmc 0        # no model without an LMC

The stages: read and bin the stars of both surveys, simulate, learn what is inferred from
means and dispersions, infer it, test it; then once more with simulations that have no
LMC, to see what forgetting it does to the mass of the Milky Way.
"""

from orrery.termination import orderly_end

if __name__ == "__main__":
    with orderly_end():  # the imports take seconds, in which Ctrl-C may come
        from mwlmc.commands import COMMANDS

        COMMANDS["dispersions"].run()
