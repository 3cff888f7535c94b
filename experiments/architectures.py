"""Which architecture learns best, and how much that matters.

python experiments/architectures.py                        # flows, for both galaxies
python experiments/architectures.py --question halomass    # ensembles, for the halo mass
python experiments/architectures.py --simulations 16384 --trials 60

The stages: simulate, summarise, train one architecture after the other (or several at a
time) on the same pairs and judge each on validation pairs, train one from several seeds,
test the best one once. A killed or interrupted search goes on with the same command.
"""

import argparse

from orrery.termination import orderly_end

if __name__ == "__main__":
    with orderly_end():  # the imports take seconds, in which Ctrl-C may come
        from halomass.commands import COMMANDS as OF_HALOMASS
        from mwlmc.commands import COMMANDS as OF_MWLMC

        parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
        parser.add_argument(
            "--question", choices=("mwlmc", "halomass"), default="mwlmc"
        )
        chosen, rest = parser.parse_known_args()
        if chosen.question == "mwlmc":
            OF_MWLMC["flow-architectures"].run(rest)
        else:
            OF_HALOMASS["ensemble-architectures"].run(rest)
