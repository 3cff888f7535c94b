"""Bins a star table: the older name of `python -m mwlmc.observed.binned_table`."""

import sys

from mwlmc.observed.binned_table import main

if __name__ == "__main__":
    sys.exit(main())
