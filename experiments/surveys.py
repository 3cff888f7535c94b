"""What the surveys see: their stars on the sky, how many at which distance, how fast on average.

python experiments/surveys.py                              # binned velocities, and a mock survey
python experiments/surveys.py --stars MWS_BHB.fits         # with DESI's stars on the map

No star's place is kept with this software, so the map of DESI needs your copy of the
catalogue. The stars of H3, SEGUE and MagE are not public: theirs are simulated, and say
so.
"""

from orrery.termination import orderly_end

if __name__ == "__main__":
    with orderly_end():  # the imports take seconds, in which Ctrl-C may come
        from mwlmc.commands import COMMANDS

        COMMANDS["surveys"].run()
