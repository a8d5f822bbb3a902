"""The networks and what training and inference share."""
