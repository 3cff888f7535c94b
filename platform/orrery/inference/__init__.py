"""From pairs and an observation to an answer and its judgement."""
