"""Science 1: a rigid Milky Way and Large Magellanic Cloud, and what we would see of them."""
