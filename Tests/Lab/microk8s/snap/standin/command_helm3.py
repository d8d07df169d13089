"""`microk8s helm3`: the same program under its older name."""

from command_helm import main  # noqa: F401
