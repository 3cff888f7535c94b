"""What the header of a halo catalogue says: its universe, box and scale factor, and its units.

Halos of another box or another universe look like any others: only the header knows. Programs
that write catalogues say the same in slightly different words.
"""

import re
from dataclasses import dataclass

_NUMBER = r"((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
# by name: where a header has the number
_NUMBERS = {
    "hubble": rf"\bh0?\s*=\s*{_NUMBER}",
    "omega_matter": rf"\b(?:Omega_M|Om)\s*=\s*{_NUMBER}",
    "box": rf"\bbox(?: size)?\s*[=:]\s*{_NUMBER}",
    "scale": rf"^a\s*=\s*{_NUMBER}",
}
# by what is measured: where a header has its unit
_UNITS = {
    "masses": r"^(?:Units: Masses in([^\n]+)"
    r"|(?:Mvir|M): [^\n]*?[(,]\s*((?:\S+\s+)?Msun(?: */ *h)?))",
    "positions": r"^(?:Units: Positions in([^\n]+)"
    r"|X[/ ]Y[/ ]Z: [^\n]*?\(([^\n)]*?[kMG]?pc(?: */ *h)?))",
    "radii": r"^(?:Units: Halo Distances, Lengths, and Radii in([^\n]+)"
    r"|(?:Rvir|R): [^\n]*?[(,]([^\n),]*?[kMG]?pc(?: */ *h)?))",
    "velocities": r"^Units: Velocities in([^\n]+)()",
}
# What a unit is called, and what is said of it where it is usual.
_SPELLINGS = (
    (r"\s", ""),
    (r"M_?(?:sun|sol|\u2299)", "Msun"),
    (r"h\^?-1(.+)|(.+?)\*?h\^?-1", r"\1\2/h"),
    (r"\(?comoving\)?|\(physical,peculiar\)|virialmass", ""),
)
SAME = 0.01  # relative difference of numbers that were rounded to be written


@dataclass(frozen=True)
class Header:
    """The numbers and units that a header says; None where it does not.

    Example:
        >>> lines = ("a = 0.5", "Om = 0.3; Ol = 0.7; h = 0.7", "Units: Masses in Msun / h")
        >>> header = parse_header(lines)
        >>> header.scale, header.hubble, header.box, header.units
        (0.5, 0.7, None, (('masses', 'Msun/h'),))
    """

    hubble: float | None = None
    omega_matter: float | None = None
    box: float | None = None
    scale: float | None = None
    units: tuple[tuple[str, str], ...] = ()

    def check_units(self, file: str, mass: str) -> None:
        """Refuses a catalogue in other units than programs write.

        Arguments:
            file: Its name.
            mass: The unit of masses that such catalogues have.

        Raises:
            ValueError: If the header says another unit.
        """
        usual = {"masses": mass, "positions": "Mpc/h", "radii": "kpc/h"}
        usual["velocities"] = "km/s"
        for what, unit in self.units:
            if unit != usual[what]:
                raise ValueError(
                    f"{file}: its header says that {what} are in {unit}; such catalogues have them "
                    f"in {usual[what]}: convert them, or use the catalogue as it was released"
                )


def parse_header(lines: tuple[str, ...]) -> Header:
    """Returns what the lines of a header say."""
    text = "\n".join(lines)
    numbers = {
        name: re.search(pattern, text, re.MULTILINE | re.IGNORECASE)
        for name, pattern in _NUMBERS.items()
    }
    units = {
        what: re.search(pattern, text, re.MULTILINE | re.IGNORECASE)
        for what, pattern in _UNITS.items()
    }
    return Header(
        **{name: float(found[1]) for name, found in numbers.items() if found},
        units=tuple(
            (what, _unit(found[1] or found[2]))
            for what, found in units.items()
            if found
        ),
    )


def _unit(words: str) -> str:
    # `comoving Mpc/h` and `Mpc / h` are one unit, `10^10 Msun/h` is another
    for spelling, usual in _SPELLINGS:
        words = re.sub(spelling, usual, words)
    return words
