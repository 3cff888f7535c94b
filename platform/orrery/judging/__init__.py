"""Whether to believe it: pure judgements of draws, predictions and data."""
