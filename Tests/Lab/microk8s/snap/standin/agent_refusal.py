"""An answer of the cluster agent that is not what was asked for: a text and an HTTP status."""


class Refusal(Exception):
    def __init__(self, text: str, status: int = 500):
        super().__init__(text)
        self.status = status
