"""Tables that people bring: opened within bounds, understood, and cleaned of what is no number."""
