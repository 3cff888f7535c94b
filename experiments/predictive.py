"""Can the model make the data? Simulations of the posteriors' own draws beside what was observed.

python experiments/predictive.py                       # 32,768 simulations, 256 more per posterior
python experiments/predictive.py --rows "DESI, with v_tb" --replicates 1000

Masses and friction alone do not make stars: here the flows learn all eleven parameters
of the model, their draws are simulated by the same actors, and each bin gets a tail
probability.
"""

from orrery.termination import orderly_end

if __name__ == "__main__":
    with orderly_end():  # the imports take seconds, in which Ctrl-C may come
        from mwlmc.commands import COMMANDS

        COMMANDS["predictive"].run()
