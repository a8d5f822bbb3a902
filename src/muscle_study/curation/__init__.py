"""Stage curation: checked volumes from an export, with exclusions."""
