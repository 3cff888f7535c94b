"""What pages and notebooks call the words of this science's tables."""

_RANKED = {
    "log_m_star": "log stellar mass",
    "r": "distance",
    "v_r": "radial velocity",
    "v_t": "tangential velocity",
    "log_r": "log distance",
    "log_v_t": "log tangential velocity",
    "log_abs_v_r": "log radial velocity without its sign",
    "asinh_v_r": "asinh of the radial velocity",
}
_THERE = "there"
_MOST = 50  # neighbours that a flow has places for, unless it is told otherwise

_HOST_WORDS = {
    "log_m_vir": "log M_vir",
    "log_m_star": "log stellar mass",
    "log_m_peak": "log peak mass",
    "log_distance_larger": "log distance of the nearest larger halo",
    "log_distance_cluster": "log distance of the nearest cluster",
    "log_vmax": "log v_max of the largest satellite",
    "distance_larger": "distance of the nearest larger halo",
    "distance_cluster": "distance of the nearest cluster",
    "predicted_mean_200c": "predicted mean, 200c",
    "median_alike": "median of hosts alike",
    "lower_alike": "lower end of hosts alike",
    "upper_alike": "upper end of hosts alike",
    "left_out": "left out",
}


def host_words(most: int = _MOST) -> dict[str, str]:
    """Returns what pages call the words of tables of hosts, by the words.

    Arguments:
        most: How many neighbours a network has places for; they are numbered from the one
            with most stars. Where there are fewer, their numbers are nought, and so is
            that which says whether there is one.

    Example:
        >>> host_words()["log_m_star_2"], host_words()["there_7"]
        ('log stellar mass, neighbour 2', 'is there a neighbour 7 (one: yes, nought: no)')
    """
    ranks = range(1, max(most, _MOST) + 1)
    of_each = {
        f"{name}_{rank}": f"{called}, neighbour {rank}"
        for name, called in _RANKED.items()
        for rank in ranks
    }
    flags = {
        f"{_THERE}_{rank}": f"is there a neighbour {rank} (one: yes, nought: no)"
        for rank in ranks
    }
    return {**_HOST_WORDS, **of_each, **flags}
