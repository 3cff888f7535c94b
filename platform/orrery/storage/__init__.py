"""What lies on the disk: files, datasets, run folders."""
