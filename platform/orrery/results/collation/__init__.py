"""All runs and trials of a folder as one table and one page that opens from the disk."""
