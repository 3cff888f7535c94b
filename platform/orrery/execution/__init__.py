"""Work on one core or a cluster: simulations fill a dataset, records become summaries."""
