"""README's numbers are those of the files that it names."""
