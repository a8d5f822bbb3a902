"""A run seen by hand in JupyterLab: anyone's images and masks, and the tables. No stage."""
