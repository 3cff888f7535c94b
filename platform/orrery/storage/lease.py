"""A lease: how one process keeps others from writing a folder in a bucket.

A store forgets no lock when its holder dies. So the holder writes its lease anew every
few seconds, each time only if it still is the one that it wrote last. Whoever finds a
lease watches it: one that is renewed is held; one that is not for half a minute is
taken over. No clock is compared with another machine's.
"""

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from orrery.storage.outages import patience
from orrery.storage.store import Address, Versioned

LEASE = 30.0  # [s] after which a lease that is not renewed has ended
RENEWAL = 5.0  # [s] between renewals
_POLL = 0.5  # [s] between looks at another's lease


class Lease:
    """The lease of a folder, which is renewed until it is released.

    Arguments:
        place: The object that holds it.
        content: What it says of its holder: no other lease has the same.
        version: The version of the object as it was acquired.

    Example:
        >>> held = Lease(Address("s3", "surveys", "stars/.lock"), b"process 7", {})
        >>> held.check()  # raises BlockingIOError once another process has taken over
    """

    def __init__(self, place: Address, content: bytes, version: dict[str, str]) -> None:
        self.place = place
        self.content = content
        self.version = version
        self.renewed = time.monotonic()
        self.lost = False
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._renew_often, daemon=True)

    def check(self) -> None:
        """Raises an error if another process may be writing here.

        Raises:
            BlockingIOError: If the lease was lost, or no renewal is answered.
        """
        # The store may be away, or take a renewal and not answer for minutes: then nobody
        # can have taken over whom it answers. Or this process was stopped for as long, and
        # one is on its way.
        patient = time.monotonic() + LEASE + patience()
        while self._overdue() and not self.lost and time.monotonic() < patient:
            time.sleep(_POLL)
        if self.lost or self._overdue():
            raise BlockingIOError(
                f"{self.place.parent} was taken over by another process, or may have been, "
                f"since this one's lease was not renewed for {LEASE:g} s: wait until no other "
                "process writes there, and give the same command again"
            )

    def start(self) -> None:
        """Begins to renew it."""
        self._thread.start()

    def release(self) -> None:
        """Ends it, unless another process holds it by now."""
        self._released.set()
        self._thread.join()
        # who died or was cut off has released nothing either
        with suppress(OSError):
            if not self.lost:
                self.place.put_if(b"", self.version, patient=False)

    def _renew_often(self) -> None:
        while not self.lost and not self._released.wait(RENEWAL):
            self._renew()

    def _renew(self) -> None:
        sent = time.monotonic()  # others count from then on, not from the answer
        beat = self.content + f"\nrenewed {sent:.3f}".encode()
        # The network may be back: if nobody has taken over by then, the next renewal is the
        # store's word for it. Whatever else it was, this thread goes on: without it nobody
        # would notice that another process has.
        with suppress(Exception):
            try:
                self.version = self.place.put_if(beat, self.version, patient=False)
                self.renewed = sent
            except FileExistsError:
                self.lost = True

    def _overdue(self) -> bool:
        return time.monotonic() - self.renewed > LEASE


@contextmanager
def leased(
    folder: Address, name: str, instead: str, tell: Callable[[str], None]
) -> Iterator[Lease]:
    """Returns a context in which this process alone may write a folder.

    Arguments:
        folder: The folder.
        name: Of the object that holds the lease.
        instead: What who is refused may choose.
        tell: Is told that it takes half a minute to see that a holder is dead.

    Raises:
        BlockingIOError: If another process holds it.
        OSError: If the store cannot be reached.
    """
    lease = _acquired(folder / name, instead, tell)
    lease.start()
    try:
        yield lease
    finally:
        lease.release()


def _acquired(place: Address, instead: str, tell: Callable[[str], None]) -> Lease:
    since = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
    holder = f"process {os.getpid()} on {socket.gethostname()} since {since}"
    content = f"{holder}\n{uuid.uuid4().hex}".encode()
    while True:
        found = place.read_versioned()
        if found is not None and found.content:
            _await_end(place, found, instead, tell)
        # Of two who come at once, the store chooses one; the other looks again.
        with suppress(FileExistsError):
            version = place.put_if(content, found.version if found else None)
            return Lease(place, content, version)


def _await_end(
    place: Address, found: Versioned, instead: str, tell: Callable[[str], None]
) -> None:
    """Returns once a lease has ended, or raises an error when it is seen to be held."""
    holder = found.content.decode(errors="replace").partition("\n")[0]
    tell(
        f"{place.parent} was being written by {holder}: it takes up to {LEASE:g} s to see "
        "whether it still is"
    )
    # Looks are counted and not seconds: while this process is stopped, so may the holder
    # be that shares its machine.
    for _ in range(round(LEASE / _POLL)):
        time.sleep(_POLL)
        latest = place.read_versioned()
        if latest is None or not latest.content:
            return
        if latest.version != found.version:
            raise BlockingIOError(
                f"{place.parent} is being written by {holder}: wait until it has finished, "
                f"or stop it, and give the same command again, or choose {instead}"
            )
