"""How far the rigid Milky Way and LMC may be trusted: beside live N-body simulations.

python experiments/validation.py --nbody gc21    # a folder of both centres' orbits

The simulations of Garavito-Camargo et al. (2021) have such orbits in XMC-Atlas; masses of
others are read from a table galaxies.csv beside them.
"""

from orrery.termination import orderly_end

if __name__ == "__main__":
    with orderly_end():  # the imports take seconds, in which Ctrl-C may come
        from mwlmc.commands import COMMANDS

        COMMANDS["validation"].run()
