"""What stops a render."""


class ReportError(ValueError):
    """The manuscript cannot be rendered as it stands; the message names what is wrong and where."""
