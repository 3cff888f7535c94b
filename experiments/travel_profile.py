"""How fast the Milky Way's disc moves against stars at which distance, and whereto.

python experiments/travel_profile.py                          # SDSS K giants, DESI's stars
python experiments/travel_profile.py --stars my_giants.ecsv   # your own table of stars
python experiments/travel_profile.py --surveys forecast-h3    # mock H3+SEGUE+MagE survey
python experiments/travel_profile.py --shell-edges 40 80 120 160

The stages: simulate, fit the reflex motion of the stored stars in each shell, bin them
as each survey does, learn the motions in all shells from that, infer them, test it.
"""

from orrery.termination import orderly_end

if __name__ == "__main__":
    with orderly_end():  # the imports take seconds, in which Ctrl-C may come
        from mwlmc.commands import COMMANDS

        COMMANDS["travel-profile"].run()
