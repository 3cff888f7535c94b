"""What pages and notebooks call the words of this science's tables."""

_RANKED = {
    "log_m_star": "log stellar mass",
    "r": "distance",
    "v_r": "v_r",
    "v_t": "v_t",
}
_MOST = 25  # neighbours that an ensemble sees

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
    **{
        f"{name}_{rank}": f"{called}, neighbour {rank}"
        for name, called in _RANKED.items()
        for rank in range(1, _MOST + 1)
    },
}
"""By the words; neighbours are numbered from the one with most stars."""


def host_words() -> dict[str, str]:
    """Returns what pages call the words of tables of hosts, by the words.

    Example:
        >>> host_words()["log_m_star_2"]
        'log stellar mass, neighbour 2'
    """
    return dict(_HOST_WORDS)
