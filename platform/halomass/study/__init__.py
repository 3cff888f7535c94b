"""What the paper asks: options, published values, comparisons, what the mock is held to."""
