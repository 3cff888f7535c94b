"""What observers measured: star tables, and their way to data vectors."""
