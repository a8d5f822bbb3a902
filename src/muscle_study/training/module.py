"""Lightning module: loss, optimiser and validation of a network."""

from typing import Any

import lightning
import torch
from monai.losses import DiceCELoss

from muscle_study.networks.classes import Classes
from muscle_study.networks.network import build_network, run_over
from muscle_study.networks.parameters import NetworkParameters

#: Share of the steps over which the learning rate rises.
WARM_UP = 0.15


def dice(prediction: torch.Tensor, reference: torch.Tensor, classes: int) -> torch.Tensor:
    """Return the Dice coefficient of each foreground class; NaN for a class in neither map.

    Parameters
    ----------
    prediction, reference
        Class maps of equal shape.
    classes
        Number of classes with the background.
    """
    scores = []
    for value in range(1, classes):
        ours, theirs = prediction == value, reference == value
        size = ours.sum() + theirs.sum()
        scores.append(2 * (ours & theirs).sum() / size)
    return torch.stack(scores)


class Segmentation(lightning.LightningModule):
    """A network with its loss, optimiser and validation.

    Parameters
    ----------
    channels
        Number of input images.
    classes
        Classes of the network.
    parameters
        Parameters of the network.
    weight_decay
        Weight decay of AdamW, whose learning rate follows one cycle over the training.
    """

    def __init__(
        self,
        channels: int,
        classes: Classes,
        parameters: NetworkParameters,
        weight_decay: float,
    ):
        super().__init__()
        self.classes, self.parameters_of, self.weight_decay = classes, parameters, weight_decay
        self.network = build_network(
            channels,
            classes.count,
            parameters.features,
            parameters.strides,
            parameters.deep_supervision,
        )
        self.loss = DiceCELoss(to_onehot_y=True, softmax=True, batch=True)
        self.validation_scores: list[torch.Tensor] = []

    def training_step(self, batch: dict[str, torch.Tensor], _index: int) -> torch.Tensor:
        """Return the Dice and cross-entropy loss of a batch of patches."""
        loss = self._training_loss(self.network(batch["image"]), batch["label"])
        self.log(
            "train_loss",
            loss,
            on_step=False,
            on_epoch=True,
            batch_size=len(batch["image"]),
            sync_dist=True,
        )
        return loss

    def _training_loss(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the loss; over several levels the mean, each lower level weighted by half."""
        if not self.parameters_of.deep_supervision:
            return self.loss(logits, labels)
        losses = torch.stack([self.loss(level, labels) for level in logits.unbind(1)])
        shares = 0.5 ** torch.arange(len(losses), device=losses.device)
        return (losses * shares).sum() / shares.sum()

    def validation_step(self, batch: dict[str, torch.Tensor], _index: int) -> None:
        """Score one whole volume."""
        logits = run_over(self.network, batch["image"], self.parameters_of)
        loss = self.loss(logits, batch["label"])
        self.log("validation_loss", loss, batch_size=1, sync_dist=True)
        self.validation_scores.append(
            dice(logits.argmax(1), batch["label"][:, 0], self.classes.count)
        )

    def on_validation_epoch_end(self) -> None:
        """Log the mean Dice of each class over the validation participants."""
        scores = torch.stack(self.validation_scores)
        self.validation_scores.clear()
        if self.trainer.world_size > 1:
            # scans are distributed one by one, some twice, for equal numbers in all processes
            dealt = self.all_gather(scores).transpose(0, 1).flatten(0, 1)
            scores = dealt[: len(self.trainer.val_dataloaders.dataset)]
        by_class = scores.nanmean(0)
        for name, score in zip(self.classes.names, by_class, strict=True):
            self.log(f"dice_{name}", score, sync_dist=True)
        self.log("validation_dice", by_class.nanmean(), sync_dist=True)

    def configure_optimizers(self) -> dict[str, Any]:
        """Return AdamW with a one-cycle learning rate."""
        rate = self.parameters_of.learning_rate
        optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=rate, weight_decay=self.weight_decay
        )
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, max_lr=rate, total_steps=max(steps, 4), pct_start=WARM_UP
        )
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }
