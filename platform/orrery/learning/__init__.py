"""Networks and flows: how they are trained, kept and opened again."""
