"""How many neighbours a host needs: as many as an ensemble sees."""

from halomass.systems import RADIUS

# As published; the first are the main ensembles.
NEIGHBOUR_COUNTS = (25, 10)


def neighbour_need(count: int) -> str:
    """Returns which ensembles a host has neighbours enough for.

    Example:
        >>> neighbour_need(44)
        'enough for the ensembles of 25 and of 10 neighbours; fewer than 10 are refused'
        >>> neighbour_need(13)
        'enough for the ensembles of 10 neighbours, not of 25; fewer than 10 are refused'
    """
    enough = " and ".join(f"of {need}" for need in NEIGHBOUR_COUNTS if need <= count)
    lacking = "".join(f", not of {need}" for need in NEIGHBOUR_COUNTS if need > count)
    refused = f"fewer than {min(NEIGHBOUR_COUNTS)} are refused"
    return f"enough for the ensembles {enough} neighbours{lacking}; {refused}"


def check_neighbour_count(count: int, table: str) -> None:
    """Checks that a host has neighbours enough for the smallest ensemble.

    Arguments:
        count: How many it has that can be used.
        table: The file that they are from, for messages.

    Raises:
        ValueError: If it has not.

    Example:
        >>> check_neighbour_count(10, "a.csv")
    """
    if count < min(NEIGHBOUR_COUNTS):
        needs = " or ".join(str(need) for need in sorted(NEIGHBOUR_COUNTS))
        raise ValueError(
            f"{table} has too few neighbours within {RADIUS:g} kpc, {count} of use where the "
            f"ensembles need {needs}: list fainter ones too, or mend rows that are left out"
        )
