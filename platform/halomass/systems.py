"""A system: a host halo and its neighbours, as records that any of the sources fills.

Catalogues and the mock universe return these columns and nothing else, so that
features, networks and results do not know where a system comes from. Neighbours are all
halos above the smallest peak mass within the radius, satellites or not, seen from the
host's centre, most massive in stars first.
"""

from orrery.parameters import FloatArray, Parameter
from orrery.records import Column, Schema

__all__ = ["LOG_M_VIR", "SCHEMA", "TEST", "TRAIN", "VALIDATION", "FloatArray"]

TRAIN, VALIDATION, TEST = 0, 1, 2  # values of the column `split`
RADIUS = 250.0  # [kpc] the largest distance of a neighbour
LOG_M_PEAK = 8.0  # [dex(solMass)] the smallest peak mass of a neighbour
ISOLATION = 500.0  # [kpc] the smallest distance of a halo that is larger than the host

LOG_M_VIR = Parameter("log_m_vir", "dex(solMass)", r"$\log_{10} M_\mathrm{vir}$")

SCHEMA = Schema(
    scalars=(
        Column("index", "", "number of the system", "int64"),
        Column("log_m_vir", "dex(solMass)", "log10 of the host's virial mass (Bryan & Norman)"),
        Column("id", "", "identity of the host in its snapshot", "int64"),
        Column("scale", "", "scale factor of the snapshot"),
        Column("x", "", "place in the box along x today, as a fraction of its side"),
        Column("split", "", "0 training, 1 validation, 2 test: decided by x", "int8"),
        Column("distance_larger", "kpc", "to the nearest halo of larger mass"),
        Column("distance_cluster", "kpc", "to the nearest halo above 1e14 Msun"),
    ),
    particles=(
        Column("r", "kpc", "distance from the host", "float32"),
        Column("v_r", "km / s", "radial velocity relative to the host, with expansion", "float32"),
        Column("v_t", "km / s", "tangential velocity relative to the host", "float32"),
        Column("log_m_star", "dex(solMass)", "log10 of the stellar mass", "float32"),
        Column("log_m_peak", "dex(solMass)", "log10 of the largest mass in its past", "float32"),
        Column("vmax", "km / s", "largest circular velocity today", "float32"),
    ),
)  # fmt: skip
