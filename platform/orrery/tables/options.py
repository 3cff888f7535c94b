"""What is chosen of how tables are read: options, known before astropy is."""

MOST_MISSING = 0.2  # of a needed column's rows
