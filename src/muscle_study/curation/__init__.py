"""Stage curation: from an export as it comes to checked volumes, and who is in and out."""
