"""Helm's Go library: one function per action, options as the library names them."""

import json
import os
import re
import signal
import threading

import helm_python
from helm_python import _native

from .errors import Failure, as_helm3


class NotFound(Failure):
    pass


def config(flags, namespace):
    return helm_python.Config(
        kubeconfig_path=flags["kubeconfig"] or None, kube_context=flags["kube-context"] or None,
        kube_apiserver=flags["kube-apiserver"] or None, kube_token=flags["kube-token"] or None,
        kube_ca_file=flags["kube-ca-file"] or None, kube_tls_server_name=flags["kube-tls-server-name"] or None,
        kube_insecure_skip_tls_verify=flags["kube-insecure-skip-tls-verify"],
        kube_as_user=flags["kube-as-user"] or None, kube_as_groups=flags["kube-as-group"] or None,
        burst_limit=flags["burst-limit"], namespace=namespace, storage_driver=os.environ.get("HELM_DRIVER") or None)


def call(function, *arguments, prefix="", **options):
    """The library's answer, decoded. Options that are None are left out, so that its own default holds."""
    try:
        text = _call(function, arguments, options)
    except helm_python.HelmNotFoundError as error:
        raise NotFound(prefix + as_helm3(str(error))) from None
    except helm_python.HelmError as error:
        raise Failure(prefix + as_helm3(str(error))) from None
    return json.loads(text) if text else None


def _call(function, arguments, options):
    given = {key: value for key, value in options.items() if value is not None}
    invoke = _native.call_status if function == "helm_rollback" else _native.call_string
    return invoke(function, *arguments, json.dumps(given) if given else None)


def change(function, configuration, chart, name, values, prefix="", **options):
    """`helm_install` or `helm_upgrade`. An interrupt cancels it and the release becomes `failed`, as with Helm.

    The library runs in a thread: Python handles no signal while its main thread is inside a C call.
    """
    context, outcome = helm_python.HelmContext(), {}

    def run():
        try:
            outcome["value"] = call(function, configuration._raw(), context._raw(), chart._raw(), None, name,
                                    json.dumps(values), prefix=prefix, **options)
        except BaseException as error:
            outcome["error"] = error

    def cancel(*_):
        print(f"Release {name} has been cancelled.")
        context.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, cancel)
    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive():
        thread.join(0.2)
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def load_chart(reference):
    """A chart from a folder or an archive. There are no repositories here: the lab has no network."""
    if not os.path.exists(reference):
        if reference.startswith((".", "/")):
            raise Failure(f'path "{reference}" not found')
        if re.match(r"^(https?|oci)://", reference):
            raise Failure(f'looks like "{reference}" cannot be reached: dial tcp: no network')
        if "/" in reference:
            raise Failure(f"repo {reference.split('/')[0]} not found")
        raise Failure(f"non-absolute URLs should be in form of repo_name/path_to_chart, got: {reference}")
    try:
        return helm_python.Chart.load(reference)
    except helm_python.HelmError as error:
        raise Failure(as_helm3(str(error))) from None
