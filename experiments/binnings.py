"""Which binning tells most of both galaxies, and what a bin, a patch, a proper motion is worth.

python experiments/binnings.py                             # surveys like DESI and like H3
python experiments/binnings.py --surveys desi --desi-stars 5000 --error-floor 2
python experiments/binnings.py --sought width --quantity "M_LMC(<50 kpc)"
python experiments/binnings.py --simulations 16384 --trials 60 --members 3

The stages: simulate, bin the stored stars of all simulations in one way after the other
(or several at a time), train a flow on each and judge it on validation pairs, change
the best binning in one choice at a time, from several seeds, test it once. A killed or
interrupted search goes on with the same command.
"""

from orrery.termination import orderly_end

if __name__ == "__main__":
    with orderly_end():  # the imports take seconds, in which Ctrl-C may come
        from mwlmc.commands import COMMANDS

        COMMANDS["binnings"].run()
