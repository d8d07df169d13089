"""What the commands do. Each takes its flags and arguments, calls the library once or twice, and prints."""

import os
import sys

import helm_python
from helm_python import _native

from . import library, output, yamltext
from .errors import Failure, as_helm3
from .library import NotFound
from .values import collect

VERSION, COMMIT, GO = "v3.14.4", "81c902a123462fd4052bc5e9aa9c513c4c8fc142", "go1.21.9"
# What Helm 3.14 renders for where no cluster is asked.
KUBERNETES_OFFLINE = "v1.29.0"

def namespace_of(flags):
    return flags["namespace"] or os.environ.get("HELM_NAMESPACE") or "default"


def connect(flags):
    return library.config(flags, namespace_of(flags))


def exactly(arguments, names, command):
    if len(arguments) != len(names):
        raise Failure(f'"helm {command}" requires {len(names)} argument{"s" if len(names) != 1 else ""}\n\n'
                      f"Usage:  helm {command} {' '.join(names)} [flags]")
    return arguments


def stored_release(configuration, name, revision=None):
    return library.call("helm_get", configuration._raw(), name, revision=revision)


# --- install and upgrade ---------------------------------------------------------------------------------------------

def change_options(flags):
    # Helm 3 waits by polling and applies on the client's side: what it changed and somebody edited is put back.
    # `--atomic` says `--wait`.
    return {
        "timeout_seconds": flags.get("timeout", 300),
        "wait": "legacy" if flags["wait"] or flags["atomic"] else "hookOnly",
        "wait_for_jobs": flags["wait-for-jobs"] or None, "rollback_on_failure": flags["atomic"] or None,
        "dry_run": dry_run(flags), "description": flags["description"], "disable_hooks": flags["no-hooks"] or None,
        "force_replace": flags["force"] or None, "skip_crds": flags["skip-crds"] or None,
        "hide_notes": flags["hide-notes"] or None, "hide_secret": flags["hide-secret"] or None,
        "disable_openapi_validation": flags["disable-openapi-validation"] or None, "labels": labels(flags),
    }


def labels(flags):
    pairs = [pair.partition("=") for text in flags["labels"] for pair in text.split(",")]
    return {key: value for key, _, value in pairs} or None


def dry_run(flags):
    mode = flags["dry-run"]
    if mode in (None, "none", "false"):
        return None
    if mode in ("client", "true"):
        return "client"
    if mode == "server":
        return "server"
    raise Failure("Invalid dry-run flag. Flag must one of the following: false, true, none, client, server")


def run_install(flags, arguments):
    name, reference = exactly(arguments, ["NAME", "CHART"], "install")
    with connect(flags) as configuration, library.load_chart(reference) as chart:
        install(flags, configuration, chart, name, collect(flags), "INSTALLATION FAILED: ")


def install(flags, configuration, chart, name, values, prefix):
    summary = library.change("helm_install", configuration, chart, name, values, prefix=prefix,
                             create_namespace=flags["create-namespace"] or None, server_side_apply=False,
                             **change_options(flags))
    print_change(flags, configuration, summary)


def run_upgrade(flags, arguments):
    name, reference = exactly(arguments, ["RELEASE", "CHART"], "upgrade")
    with connect(flags) as configuration, library.load_chart(reference) as chart:
        values = collect(flags)
        if flags["install"] and not exists(configuration, name):
            if flags["output"] in (None, "table"):
                print(f'Release "{name}" does not exist. Installing it now.', flush=True)
            return install(flags, configuration, chart, name, values, "")
        summary = library.change(
            "helm_upgrade", configuration, chart, name, values, prefix="UPGRADE FAILED: ", server_side_apply="false",
            cleanup_on_fail=flags["cleanup-on-fail"] or None, max_history=flags.get("history-max", 10),
            reset_values=flags["reset-values"] or None, reuse_values=flags["reuse-values"] or None,
            reset_then_reuse_values=flags["reset-then-reuse-values"] or None, **change_options(flags))
        if flags["output"] in (None, "table"):
            print(f'Release "{name}" has been upgraded. Happy Helming!')
        print_change(flags, configuration, summary)


def exists(configuration, name):
    try:
        library.call("helm_history", configuration._raw(), name, max=1)
        return True
    except NotFound:
        return False


def print_change(flags, configuration, summary):
    """What stands in the cluster now; after a dry run, what would."""
    trial = dry_run(flags) is not None
    stored = {"summary": summary} if trial else stored_release(configuration, summary["name"], summary["revision"])
    output.write(flags["output"], output.release(stored), lambda: output.release_text(stored, with_manifest=trial))


# --- questions -------------------------------------------------------------------------------------------------------

def run_list(flags, arguments):
    exactly(arguments, [], "list")
    states = {state: True for state in ("deployed", "failed", "pending", "superseded", "uninstalled", "uninstalling")
              if flags[state]}
    if not states and not flags["all"]:
        states = {"deployed": True, "failed": True}
    with connect(flags) as configuration:
        found = library.call("helm_list", configuration._raw(), all=flags["all"] or None, filter=flags["filter"],
                             selector=flags["selector"], all_namespaces=flags["all-namespaces"] or None,
                             limit=flags.get("max", 256), offset=flags["offset"], by_date=flags["date"] or None,
                             sort_reverse=flags["reverse"] or None, **states)
    entries = [output.list_entry(summary) for summary in found]
    if flags["short"]:
        print("".join(entry["name"] + "\n" for entry in entries), end="")
    else:
        output.write(flags["output"], entries, lambda: output.list_table(entries))


def run_status(flags, arguments):
    (name,) = exactly(arguments, ["RELEASE_NAME"], "status")
    with connect(flags) as configuration:
        stored = stored_release(configuration, name, flags["revision"])
    output.write(flags["output"], output.release(stored), lambda: output.release_text(stored))


def run_history(flags, arguments):
    (name,) = exactly(arguments, ["RELEASE_NAME"], "history")
    with connect(flags) as configuration:
        found = library.call("helm_history", configuration._raw(), name, max=flags.get("max", 256))
        entries = [output.history_entry(stored_release(configuration, name, each["revision"])) for each in found]
    output.write(flags["output"], entries, lambda: output.history_table(entries))


def run_get(flags, arguments):
    what, name = exactly(arguments, ["WHAT", "RELEASE_NAME"], "get")
    if what not in ("values", "manifest", "notes", "hooks", "all"):
        raise Failure(f'unknown command "{what}" for "helm get"')
    with connect(flags) as configuration:
        if what == "values":
            values = library.call("helm_get_values", configuration._raw(), name, all=flags["all"] or None,
                                  revision=flags["revision"])
            title = "COMPUTED VALUES:" if flags["all"] else "USER-SUPPLIED VALUES:"
            return output.write(flags["output"], values, lambda: title + "\n" + yamltext.dump(values))
        stored = stored_release(configuration, name, flags["revision"])
    hooks = "".join(f"---\n# Source: {hook['path']}\n{hook['manifest']}\n" for hook in stored.get("hooks") or [])
    manifest, notes = stored["summary"].get("manifest", ""), (stored["summary"].get("notes") or "").strip()
    text = {"manifest": manifest + "\n", "hooks": hooks, "notes": f"NOTES:\n{notes}\n" if notes else ""}
    text["all"] = output.release_text(stored) + "USER-SUPPLIED VALUES:\n" + yamltext.dump(stored.get("config") or {}) \
        + "\nHOOKS:\n" + hooks + "MANIFEST:\n" + manifest + "\n"
    print(text[what], end="")


# --- other changes ---------------------------------------------------------------------------------------------------

def run_rollback(flags, arguments):
    if len(arguments) not in (1, 2):
        raise Failure('"helm rollback" requires at least 1 argument\n\n'
                      "Usage:  helm rollback <RELEASE> [REVISION] [flags]")
    try:
        revision = int(arguments[1]) if len(arguments) == 2 else None
    except ValueError:
        raise Failure("could not convert revision to a number: "
                      f'strconv.Atoi: parsing "{arguments[1]}": invalid syntax') from None
    with connect(flags) as configuration:
        library.call("helm_rollback", configuration._raw(), arguments[0], version=revision, server_side_apply="false",
                     timeout_seconds=flags.get("timeout", 300), wait="legacy" if flags["wait"] else "hookOnly",
                     cleanup_on_fail=flags["cleanup-on-fail"] or None, disable_hooks=flags["no-hooks"] or None,
                     dry_run=dry_run(flags), max_history=flags.get("history-max", 10),
                     force_replace=flags["force"] or None)
    print("Rollback was a success! Happy Helming!")


def run_uninstall(flags, arguments):
    if not arguments:
        raise Failure('"helm uninstall" requires at least 1 argument\n\n'
                      "Usage:  helm uninstall RELEASE_NAME [...] [flags]")
    with connect(flags) as configuration:
        for name in arguments:
            answer = library.call(
                "helm_uninstall", configuration._raw(), name, keep_history=flags["keep-history"] or None,
                ignore_not_found=flags["ignore-not-found"] or None, timeout_seconds=flags.get("timeout", 300),
                dry_run=True if dry_run(flags) else None, description=flags["description"],
                disable_hooks=flags["no-hooks"] or None, deletion_propagation=flags["cascade"],
                wait="legacy" if flags["wait"] else "hookOnly")
            if (answer or {}).get("info"):
                print(answer["info"])
            print(f'release "{name}" uninstalled')


# --- without a cluster -----------------------------------------------------------------------------------------------

def run_template(flags, arguments):
    if len(arguments) not in (1, 2):
        raise Failure('"helm template" requires at least 1 argument\n\nUsage:  helm template [NAME] [CHART] [flags]')
    name, reference = (["release-name"] + arguments)[-2:]
    values = collect(flags)
    with connect(flags) as configuration, library.load_chart(reference) as chart:
        summary = library.change(
            "helm_install", configuration, chart, name, values, server_side_apply=False, dry_run="client",
            wait="hookOnly", skip_crds=not flags["include-crds"] or None, disable_openapi_validation=True,
            kube_version=flags["kube-version"] or KUBERNETES_OFFLINE, api_versions=flags["api-versions"] or None)
        hooks = [] if flags["no-hooks"] else hook_texts(chart, values, name, namespace_of(flags))
    documents = (summary.get("manifest", "").rstrip("\n") + "\n").split("\n---\n") if summary.get("manifest") else []
    documents = [text.removeprefix("---\n").rstrip("\n") for text in documents] + hooks
    wanted = flags["show-only"]
    shown = [text for text in documents
             if not wanted or any(text.split("\n")[0].endswith("/" + path) for path in wanted)]
    if wanted and not shown:
        raise Failure(f"could not find template {wanted[0]} in chart")
    print("".join(f"---\n{text}\n" for text in shown), end="")


def hook_texts(chart, values, name, namespace):
    """The library's dry run leaves hooks out; they are rendered apart."""
    rendered = chart.render(values, name=name, namespace=namespace)
    return [f"# Source: {path}\n{text.strip()}" for path, whole in sorted(rendered.items())
            for text in ("\n" + whole).split("\n---") if "helm.sh/hook" in text and path.endswith((".yaml", ".yml"))]


def run_lint(flags, arguments):
    paths, failed = arguments or ["."], 0
    values = collect(flags)
    severities = {0: "UNKNOWN", 1: "INFO", 2: "WARNING", 3: "ERROR"}
    for path in paths:
        report = helm_python.lint(path, values, strict=flags["strict"], namespace=namespace_of(flags),
                                  quiet=flags["quiet"], kube_version=flags["kube-version"] or KUBERNETES_OFFLINE)
        print(f"==> Linting {path}")
        for message in report["messages"]:
            if not flags["quiet"] or message["severity"] > 1:
                print(f"[{severities[message['severity']]}] {message['path']}: {as_helm3(message['error'])}")
        if not report["messages"]:
            print("".join(f"Error {as_helm3(error)}\n" for error in report["errors"]), end="")
        print()
        failed += bool(report["errors"])
    summary = f"{len(paths)} chart(s) linted, {failed} chart(s) failed"
    if failed:
        raise Failure(summary)
    print(summary)


def run_show(flags, arguments):
    what, reference = exactly(arguments, ["WHAT", "CHART"], "show")
    if what not in ("all", "chart", "values", "readme", "crds"):
        raise Failure(f'unknown command "{what}" for "helm show"')
    library.load_chart(reference).close()
    try:
        print(helm_python.show(reference, output_format=what), end="")
    except helm_python.HelmError as error:
        raise Failure(as_helm3(str(error))) from None


def run_version(flags, arguments):
    if flags["template"]:
        print(flags["template"].replace("{{.Version}}", VERSION).replace("{{ .Version }}", VERSION), end="")
    elif flags["short"]:
        print(f"{VERSION}+g{COMMIT[:7]}")
    else:
        print(f'version.BuildInfo{{Version:"{VERSION}", GitCommit:"{COMMIT}", GitTreeState:"clean", GoVersion:"{GO}"}}')
    if flags["debug"]:
        print(f"Helm's Go library in use: {_native.helm_sdk_version()}", file=sys.stderr)
