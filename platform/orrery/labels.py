"""Labels that are summaries themselves: what is learned but is no column of the dataset."""

import dataclasses

import numpy as np

from orrery.pairs import Pairs, Splits


def relabelled(data: Splits, labels: Splits) -> Splits:
    """Returns pairs whose parameters are other summaries of the same simulations.

    For what is learned but is no column of the dataset. Simulations are joined by their
    number, whatever the order of the rows, within each split alone: what is trained on is
    never tested. Who has no such summaries is left out, and counted as dropped.

    Arguments:
        data: Pairs whose one parameter is the number of the simulation, which may be there
            several times, with other random errors.
        labels: Likewise, each simulation once; their summaries become the parameters.

    Raises:
        ValueError: If these are of other simulations or parameters, a simulation is twice
            among the labels, or a split has none of them.
    """
    for what in ("dataset", "parameters"):
        if getattr(data, what) != getattr(labels, what):
            raise ValueError(
                f"labels of {what} {getattr(labels, what)} cannot join summaries of "
                f"{getattr(data, what)}: compute both of one dataset, with its number"
            )
    if len(data.parameters) != 1:
        raise ValueError(
            f"pairs of parameters {data.parameters} are joined by the simulation's number: "
            "compute both with that alone"
        )
    train, of_train = _relabelled("train", data.train, labels.train)
    validation, of_validation = _relabelled(
        "validation", data.validation, labels.validation
    )
    test, of_test = _relabelled("test", data.test, labels.test)
    return dataclasses.replace(
        data,
        train=train,
        validation=validation,
        test=test,
        parameters=labels.names,
        parameter_units=labels.units,
        dropped=data.dropped + of_train + of_validation + of_test,
        origins=data.origins + labels.origins,
        first_draw=_first_draw(data, labels),
    )


def _first_draw(data: Splits, labels: Splits) -> tuple[int, int] | None:
    """Returns how many pairs for training and validation of the first draw have labels."""
    if data.first_draw is None:
        return None
    train, validation = (
        int(np.isin(part.theta[:count, 0], known.theta[:, 0]).sum())
        for part, known, count in zip(
            (data.train, data.validation),
            (labels.train, labels.validation),
            data.first_draw,
            strict=True,
        )
    )
    return train, validation


def _relabelled(split: str, data: Pairs, labels: Pairs) -> tuple[Pairs, int]:
    """Returns the pairs of those that have labels, and how many simulations have none."""
    wanted = data.theta[:, 0]
    known = labels.theta[:, 0]
    if len(np.unique(known)) < len(known):
        raise ValueError(f"a simulation of the {split} split has two labels: give one")
    found = np.isin(wanted, known)
    if not found.any():
        raise ValueError(
            f"no simulation of the {split} split has labels: simulate more, or ask less of each"
        )
    order = np.argsort(known)
    row = order[np.searchsorted(known, wanted[found], sorter=order)]
    return Pairs(labels.x[row], data.x[found]), len(np.unique(wanted[~found]))
