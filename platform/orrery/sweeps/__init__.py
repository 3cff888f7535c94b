"""Sweeps: many trials of one study, each with other options, and what each of them found."""
