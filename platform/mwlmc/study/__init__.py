"""What the paper asks: options, published values, comparisons, forecasts."""
