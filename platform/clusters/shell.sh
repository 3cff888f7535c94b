# What every shell on a machine of a cluster needs; read at the top of ~/.bashrc.
#
# Ray itself calls plain `ray`, to stop a cluster for one, in shells that activate no environment.
export PATH=~/orrery/.venv/bin:$PATH
# Ray asks everybody for the token of ~/.ray/auth_token: otherwise whoever reaches a port runs code.
export RAY_AUTH_MODE=token
# More OpenMP threads than cores, on cores that all simulate, are several times slower.
export OMP_NUM_THREADS=1
export RAY_USAGE_STATS_ENABLED=0
