"""Instance norm that leaves the channels last in memory."""

import torch
from monai.networks.layers.factories import Norm
from torch.nn.functional import batch_norm

#: What MONAI's networks call it by, as ``norm_name``.
INSTANCE_NORM = "instance_in_its_layout"


class InstanceNorm(torch.nn.InstanceNorm3d):
    """Instance norm; of an array with its channels last, each image's batch norm.

    The two are the same mathematically. Torch's own instance norm puts the channels first, which
    its convolutions on a processor then undo: a quarter of a training step's time. Its batch norm
    works where the array lies.
    """

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return images normalised one by one, in the layout that they have.

        Parameters
        ----------
        images
            Shape (images, channels, x, y, z).
        """
        if not images.is_contiguous(memory_format=torch.channels_last_3d):
            return super().forward(images)
        normed = [
            batch_norm(image, None, None, self.weight, self.bias, training=True, eps=self.eps)
            for image in images.split(1)
        ]
        return torch.cat(normed) if len(normed) > 1 else normed[0]


Norm.add_factory_class(INSTANCE_NORM, InstanceNorm)
