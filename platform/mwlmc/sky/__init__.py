"""What is seen from the Sun: frames, patches, velocities, where a survey has stars."""
