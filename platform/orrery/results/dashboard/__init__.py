"""A run on Weights & Biases: a copy of its document, written beside it and sent from there.

The copy is always written offline, into the run's folder, where no server can hold it up;
another process sends it. Whatever happens over there costs neither the run nor its copy.
"""
