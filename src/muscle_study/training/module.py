"""How the network learns."""

from collections.abc import Sequence

import lightning
import torch
from monai.inferers import sliding_window_inference
from monai.losses import DiceCELoss

from muscle_study.labels import STRUCTURES
from muscle_study.training.network import build_network
from muscle_study.training.parameters import TrainingParameters


def dice(prediction: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """Return the Dice coefficient of each structure; NaN where it is in neither.

    Parameters
    ----------
    prediction, reference
        Label maps of one shape.
    """
    scores = []
    for label in STRUCTURES:
        ours, theirs = prediction == label, reference == label
        size = ours.sum() + theirs.sum()
        scores.append(2 * (ours & theirs).sum() / size)
    return torch.stack(scores)


class Segmentation(lightning.LightningModule):
    """The network with its loss, optimiser and validation.

    Parameters
    ----------
    channels, features
        Of the network.
    patch_size
        Voxels; validation slides patches of this size.
    learning_rate, weight_decay
        Of AdamW; the rate follows one cycle over the whole training.
    """

    def __init__(
        self,
        channels: int,
        features: Sequence[int],
        patch_size: Sequence[int],
        learning_rate: float,
        weight_decay: float,
    ):
        super().__init__()
        self.save_hyperparameters()
        self.network = build_network(channels, features)
        self.loss = DiceCELoss(to_onehot_y=True, softmax=True)
        self.validation_scores: list[torch.Tensor] = []

    @classmethod
    def from_parameters(cls, parameters: TrainingParameters) -> "Segmentation":
        """Build it from the run's parameters, as plain types."""
        return cls(
            len(parameters.channels),
            parameters.features,
            parameters.patch_size,
            parameters.learning_rate,
            parameters.weight_decay,
        )

    def training_step(self, batch: dict[str, torch.Tensor], _index: int) -> torch.Tensor:
        """Return the Dice and cross-entropy loss of a batch of patches."""
        loss = self.loss(self.network(batch["image"]), batch["label"])
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(batch["image"]))
        return loss

    def validation_step(self, batch: dict[str, torch.Tensor], _index: int) -> None:
        """Score one whole volume."""
        logits = sliding_window_inference(
            batch["image"], self.hparams.patch_size, 1, self.network, overlap=0.25, mode="gaussian"
        )
        self.log("validation_loss", self.loss(logits, batch["label"]), batch_size=1)
        self.validation_scores.append(dice(logits.argmax(1), batch["label"][:, 0]))

    def on_validation_epoch_end(self) -> None:
        """Log the mean Dice of each structure over the validation participants."""
        by_structure = torch.stack(self.validation_scores).nanmean(0)
        self.validation_scores.clear()
        for label, score in zip(STRUCTURES, by_structure, strict=True):
            self.log(f"dice_{label.name.lower()}", score)
        self.log("validation_dice", by_structure.nanmean())

    def configure_optimizers(self) -> dict:
        """AdamW under a one-cycle learning rate."""
        optimiser = torch.optim.AdamW(
            self.network.parameters(),
            lr=self.hparams.learning_rate,
            weight_decay=self.hparams.weight_decay,
        )
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, max_lr=self.hparams.learning_rate, total_steps=max(steps, 4)
        )
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }
