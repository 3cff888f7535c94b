"""The study of halo masses: options, published values, comparisons, the mock's acceptance."""
