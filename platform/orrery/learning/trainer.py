"""Lightning's trainer as we use it: silent, and continued from its last checkpoint.

Losses, weights and checkpoints are ours to write, so that a training is the same
whatever Lightning's defaults are this year.
"""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.fabric.plugins.io import CheckpointIO
from lightning.pytorch.plugins.environments import ClusterEnvironment
from lightning.pytorch.strategies import Strategy

from orrery.learning.tensor_files import is_sound, load_tensors, save_tensors
from orrery.termination import kept_interrupt

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
            # On a login node nobody wants Slurm for a training in this process.
            warnings.filterwarnings("ignore", "The `srun` command is available")
            yield
    finally:
        logger.setLevel(level)


class SealedCheckpoints(CheckpointIO):
    """How Lightning reads and writes its checkpoints here.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "last.ckpt"
        >>> SealedCheckpoints().save_checkpoint({"epoch": 3}, path)
        >>> SealedCheckpoints().load_checkpoint(path)
        {'epoch': 3}
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        save_tensors(Path(path), checkpoint)

    def load_checkpoint(
        self, path: Any, map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        found: dict[str, Any] = load_tensors(Path(path))
        return found

    def remove_checkpoint(self, path: Any) -> None:
        Path(path).unlink()


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
        plugins=[*filter(None, [environment]), SealedCheckpoints()],
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
    """Trains, from the last checkpoint in the folder if there is a sound one.

    Raises:
        KeyboardInterrupt: If the user wants no more.
    """
    checkpoint = folder / CHECKPOINT
    # All workers see the same file, and one that is damaged is nobody's.
    resume = str(checkpoint) if is_sound(checkpoint) else None
    with kept_interrupt():
        trainer.fit(module, ckpt_path=resume, weights_only=True)


def save_checkpoint(trainer: lightning.Trainer, folder: Path) -> None:
    """Writes the folder's checkpoint, complete or not at all.

    Raises:
        OSError: If it cannot be written.
    """
    # Takes every worker, and waits for the first one to write.
    trainer.save_checkpoint(folder / CHECKPOINT)
