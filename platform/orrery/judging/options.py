"""How strictly a posterior is judged: known before anything is imported."""

LEVEL = 0.01  # a right posterior fails a test once in a hundred times
