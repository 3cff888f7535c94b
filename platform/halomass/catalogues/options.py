"""What is said of a catalogue of halos: known before it is opened."""

from typing import Literal

Kind = Literal["binary", "ascii", "hlist", "rockstar"]
