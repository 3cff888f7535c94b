"""From halos in a box to hosts with their neighbours."""
