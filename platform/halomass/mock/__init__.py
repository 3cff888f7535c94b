"""Hosts with neighbours without a catalogue: a mock universe."""
