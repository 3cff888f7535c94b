"""What DESI's blue horizontal branch stars say about the Milky Way and the LMC.

python experiments/desi.py                              # 2,048 simulations, a laptop's minutes
python experiments/desi.py --simulations 128000         # the paper's campaign
python experiments/desi.py --stars MWS_BHB.fits         # your copy of the catalogue
python experiments/desi.py --options run.json           # an earlier run again

The stages: read and bin the stars, simulate, summarise the simulations as the survey
would, train a flow with and without tangential velocities, judge it on held-out
simulations, compare with the published values.
"""

from orrery.termination import orderly_end

if __name__ == "__main__":
    with orderly_end():  # the imports take seconds, in which Ctrl-C may come
        from mwlmc.commands import COMMANDS

        COMMANDS["desi"].run()
