"""`microk8s enable`"""

import switching


def main(words: list[str]) -> int:
    return switching.main("enable", words)
