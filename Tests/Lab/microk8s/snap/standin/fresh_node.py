"""What a node that stands alone again gets anew: certificates, credentials, an empty datastore, the CNI's manifest."""

import shutil

import certificates
import install_hook
import kubeconfigs
import paths
import tokens


def credentials() -> None:
    for file in (tokens.CLUSTER, tokens.REQUESTS, tokens.OWN_CALLBACK, tokens.CALLBACKS):
        file.unlink(missing_ok=True)
    certificates.make_all()
    kubeconfigs.write_all()
    tokens.callback()
    install_hook.own()


def datastore() -> None:
    shutil.rmtree(paths.BACKEND, ignore_errors=True)
    paths.BACKEND.mkdir(parents=True)
    install_hook.backend()
    install_hook.own()
    shutil.copy(paths.SNAP / "upgrade-scripts/000-switch-to-calico/resources/calico.yaml",
                paths.ARGS / "cni-network/cni.yaml")
