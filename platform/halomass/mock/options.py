"""What is chosen of the mock universe: known before it is imported."""

from typing import Literal, get_args

CatalogueName = Literal["ESMDPL/UM-SAGA", "ESMDPL/UM", "VSMDPL/UM-SAGA", "VSMDPL/UM"]
CATALOGUES: tuple[CatalogueName, ...] = get_args(CatalogueName)

# Of V_max / V_infall, below which satellites are lost.
THRESHOLDS = {"UM": 0.63, "UM-SAGA": 0.70}
FEWEST_JUDGED = 100  # hosts by which a catalogue can be judged
# Hosts of a mock universe whose satellites never fell in.
EQUILIBRIUM = "equilibrium velocities"
# Hosts whose satellites lose mass by the power 0.45 of their pericentres, as halos cut by
# V_peak suggest, not 0.3.
STEEPER_TIDES = "steeper tides"
STEEPER_BY = 0.15
