"""Stage training: the segmentation network, its data, and the weights it leaves."""
