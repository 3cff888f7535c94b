"""`orrery cluster`: whether a cluster will do, and what this machine shows to the others."""

import argparse
from pathlib import Path
from typing import Any

from orrery.storage.store import locate
from orrery.terminal import say, show_table


def add(commands: Any) -> None:
    """Adds the command and what it does to those of `orrery`."""
    cluster = commands.add_parser("cluster", help="says whether a cluster will do")
    actions = cluster.add_subparsers(required=True)
    check = actions.add_parser("check", help="says what would go wrong, and the remedy")
    check.add_argument(
        "--folders",
        type=Path,
        nargs="+",
        default=[Path("datasets"), Path("runs")],
        help="of datasets and reports, which all nodes must share; datasets may be in a bucket",
    )
    check.add_argument(
        "--free", type=float, default=10.0, help="space that their disks must have [GB]"
    )
    check.add_argument(
        "--nodes", type=int, default=1, help="how many nodes it should have"
    )
    check.set_defaults(command=_check_cluster)
    certificate = actions.add_parser(
        "certificate",
        help="makes, from the token, what this machine shows to the others",
    )
    certificate.add_argument(
        "addresses", nargs="*", help="at which the others reach this machine"
    )
    certificate.set_defaults(command=_make_certificate)


def _make_certificate(options: argparse.Namespace) -> None:
    """Writes the files that Ray's variables name."""
    from orrery.execution import certificates, tokens

    files = certificates.CertificateFiles.named()
    certificates.make_certificate(tokens.read_token(), options.addresses, files)


def _check_cluster(options: argparse.Namespace) -> None:
    """Prints what each node is and each trouble with its remedy, and fails if there is one."""
    from orrery.execution import cluster, readiness
    from orrery.execution.joining import find_address

    if not cluster.connected() and find_address() is None:
        raise ConnectionError(
            "there is no cluster to check: set RAY_ADDRESS to its head, or run this where "
            "`ray start --head` was run"
        )
    with cluster.connect():
        if not cluster.connected():
            raise ConnectionError(
                f"{cluster.why_no_ray()}: a cluster can only be checked with Ray"
            )
        from orrery.execution.nodes import ask_nodes, lost_nodes

        folders = [locate(folder).absolute() for folder in options.folders]
        reports, silent = ask_nodes(folders)
        lost = lost_nodes()
    nodes = [(report.node, report.processor, report.summary) for report in reports]
    show_table("nodes", ("node", "processor", "what it has"), nodes)
    troubles = [
        *readiness.absence(len(reports) + len(silent), options.nodes, lost),
        *silent,
        *readiness.judge(reports, options.free * readiness.GB),
    ]
    # Lines, not a table: whoever mends things copies folders and commands.
    for trouble in troubles:
        say(f"{trouble.node}: {trouble.what}: {trouble.remedy}")
    if troubles:
        raise ConnectionError(
            f"{len(troubles)} troubles, which the lines above explain"
        )
    if lost:
        say(f"no longer in the cluster: {', '.join(lost)}")
    say(f"{len(reports)} nodes can work together")
