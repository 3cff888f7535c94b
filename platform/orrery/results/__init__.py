"""What a run found, and those who read it: page, figures, dashboard."""
