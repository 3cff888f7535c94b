"""What the orbits of its neighbours say about the Milky Way's halo mass.

python experiments/halo_mass.py                                 # a mock universe, a laptop
python experiments/halo_mass.py --catalogue sfr_catalog_1.000000.bin --box 64
python experiments/halo_mass.py --neighbours my_host.ecsv       # another host

The stages: make or read hosts with their neighbours, make mock observations of them,
train ensembles of networks, test them on hosts that they never saw, say whether the host
is like those of the training, predict its mass, with and without what stands out, compare
with the published values and with flows.
"""

from orrery.termination import orderly_end

if __name__ == "__main__":
    with orderly_end():  # the imports take seconds, in which Ctrl-C may come
        from halomass.commands import COMMANDS

        COMMANDS["halo-mass"].run()
