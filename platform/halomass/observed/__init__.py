"""What an observer would know of a host, or knows of the Milky Way."""
