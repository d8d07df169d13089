"""`microk8s disable`"""

import switching


def main(words: list[str]) -> int:
    return switching.main("disable", words)
