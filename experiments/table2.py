"""All six posteriors of the paper: Table 2, its joint figures, and whether they can be trusted.

python experiments/table2.py                          # 65,536 simulations
python experiments/table2.py --simulations 128000     # the paper's campaign

The stars of H3, SEGUE and MagE are not public: their rows are forecasts at the
published masses. Each posterior is a mixture of flows that differ in their seeds
(`--members`); all six share their simulations.
"""

from orrery.termination import orderly_end

if __name__ == "__main__":
    with orderly_end():  # the imports take seconds, in which Ctrl-C may come
        from mwlmc.commands import COMMANDS

        COMMANDS["table2"].run()
