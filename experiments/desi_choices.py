"""What DESI's posterior depends on: how stars are sampled, and what is used of v_t,b.

python experiments/desi_choices.py                     # the committed, binned tables
python experiments/desi_choices.py --stars stars.csv   # DESI's stars themselves

Ten posteriors of the same simulations: stars that fill the fields or stars drawn as
DESI's, each without tangential velocities and with four choices of these.
"""

from orrery.termination import orderly_end

if __name__ == "__main__":
    with orderly_end():  # the imports take seconds, in which Ctrl-C may come
        from mwlmc.commands import COMMANDS

        COMMANDS["desi-choices"].run()
