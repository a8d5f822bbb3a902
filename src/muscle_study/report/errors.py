"""The error that stops a render."""


class ReportError(ValueError):
    """The manuscript cannot be rendered; the message names fault and place."""
