"""Lightning's trainer as we use it: silent, and continued from its last checkpoint.

Losses, weights and checkpoints are ours to write, so that a training is the same
whatever Lightning's defaults are this year.
"""

import io
import logging
import signal
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.plugins.environments import ClusterEnvironment
from lightning.pytorch.plugins.io import TorchCheckpointIO
from lightning.pytorch.strategies import Strategy

from orrery.storage import files

CHECKPOINT = "last.ckpt"
RESULT = "trained.pt"
CHECKPOINT_EPOCHS = 10


@contextmanager
def quiet() -> Iterator[None]:
    """Returns a context in which Lightning says only what went wrong."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            # Lightning 2.6 asks torch 2.13 for a class that it is about to rename.
            warnings.filterwarnings(
                "ignore", "`isinstance.treespec, LeafSpec", FutureWarning
            )
            yield
    finally:
        logger.setLevel(level)


def bare_trainer(
    folder: Path,
    max_epochs: int,
    device: torch.device,
    strategy: str | Strategy = "auto",
    environment: ClusterEnvironment | None = None,
    callbacks: Sequence[lightning.Callback] = (),
    gradient_clip: float | None = None,
) -> lightning.Trainer:
    """Returns a Lightning trainer that writes, prints and checks nothing of its own accord.

    Arguments:
        folder: Where it may write.
        max_epochs: The number of epochs.
        device: Where it computes, unless an environment says.
        strategy: How it shares the work with other processes.
        environment: The cluster, as Lightning sees it.
        callbacks: What is done between epochs.
        gradient_clip: The largest norm of a step's gradient, if any.
    """
    own = [device.index] if device.type == "cuda" else 1
    return lightning.Trainer(
        accelerator=device.type,
        devices="auto" if environment else own,
        strategy=strategy,
        plugins=[_WholeCheckpoints(), *([environment] if environment else [])],
        callbacks=[*callbacks],
        max_epochs=max_epochs,
        gradient_clip_val=gradient_clip,
        reload_dataloaders_every_n_epochs=1,
        default_root_dir=folder,
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def fit_from_checkpoint(
    trainer: lightning.Trainer, module: lightning.LightningModule, folder: Path
) -> None:
    """Trains, from the last checkpoint in the folder if there is one.

    Raises:
        KeyboardInterrupt: If the user wants no more.
    """
    checkpoint = folder / CHECKPOINT
    resume = str(checkpoint) if checkpoint.exists() else None
    on_interrupt = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(module, ckpt_path=resume, weights_only=True)
    except SystemExit as error:
        # Lightning turns Ctrl-C into an exit that looks like a failure, and ignores the
        # next one.
        signal.signal(signal.SIGINT, on_interrupt)
        cause = error.__context__
        if isinstance(cause, KeyboardInterrupt):
            raise cause from None  # it may say more, such as that it was SIGTERM
        raise KeyboardInterrupt from error


class _WholeCheckpoints(TorchCheckpointIO):
    """Writes checkpoints as all other files are written.

    Lightning's own way leaves parts of files, in two folders, where a disk is full.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        save_result(Path(path), checkpoint)


def save_result(path: Path, document: Mapping[str, Any]) -> None:
    """Writes what was learned, complete or not at all.

    Arguments:
        path: The file, which `torch.load` reads.
        document: Tensors and plain values by name.

    Raises:
        OSError: If it cannot be written.
    """
    # From memory: where torch itself writes, a full disk is a RuntimeError that names
    # neither the file nor the disk.
    content = io.BytesIO()
    torch.save(dict(document), content)
    files.write_atomically(path, content.getvalue())


def save_checkpoint(trainer: lightning.Trainer, folder: Path) -> None:
    """Writes the folder's checkpoint, complete or not at all.

    Raises:
        OSError: If it cannot be written.
    """
    # Takes every worker, and waits for the first one to write.
    trainer.save_checkpoint(folder / CHECKPOINT)
