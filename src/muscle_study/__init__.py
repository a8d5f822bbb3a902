"""Psoas and gluteus muscle mass in a Dixon MRI cohort: the study's stages and what they share."""

import warnings

# TorchIO and Lightning load tqdm's bar for notebooks, which is not used here; its advice to install
# widgets for it would stand in every executed notebook.
warnings.filterwarnings("ignore", message="IProgress not found")
