"""What halo giants in the four quadrants of the sky say about the Milky Way and the LMC.

python experiments/quadrants.py                              # SDSS K giants, radial velocities
python experiments/quadrants.py --observation forecast-h3    # mock H3+SEGUE+MagE survey
python experiments/quadrants.py --stars my_giants.ecsv       # your own table of stars
python experiments/quadrants.py --sampling full-footprint    # stars fill the quadrants
python experiments/quadrants.py --simulations 128000         # the paper's campaign

The stages are those of desi.py; a forecast puts the published medians into the model in
the place of stars.
"""

from orrery.termination import orderly_end

if __name__ == "__main__":
    with orderly_end():  # the imports take seconds, in which Ctrl-C may come
        from mwlmc.commands import COMMANDS

        COMMANDS["quadrants"].run()
