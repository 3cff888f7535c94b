"""The sky from the Sun: frames, patches, binnings, velocities, survey selection."""
