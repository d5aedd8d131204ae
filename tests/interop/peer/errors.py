"""The one error type: a reason code of the public registry."""


class Refusal(Exception):
    """Something was refused. `reason` is a stable snake_case code."""

    def __init__(self, reason: str, detail: str = ""):
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
