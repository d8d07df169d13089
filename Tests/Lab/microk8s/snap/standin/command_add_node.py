"""`microk8s add-node`: a token, and every address under which this node might be reached."""

import argparse
import json
import secrets
import sys

import arguments
import certificates
import host
import permissions
import tokens


def main(words: list[str]) -> int:
    permissions.need_permission(sys.stdout)
    parser = argparse.ArgumentParser(description="Produce a connection string for a node to join the cluster.",
                                     prog="microk8s add-node")
    parser.add_argument("-l", "--token-ttl", type=int, default=-1,
                        help="Specify how long the token is valid, before it expires. Value of '-1' indicates that the token is usable only once (i.e. after joining a node, the token becomes invalid)")
    parser.add_argument("-t", "--token", default=None,
                        help="Specify the token to add, must be 32 characters long. If not specified, a random token will be generated.")
    parser.add_argument("--format", help="Format the output of the token in pretty, short, token, or token-check",
                        default="pretty", choices={"pretty", "short", "token", "token-check", "json", "yaml"})
    if any("help" in w for w in words):
        parser.print_help()
        return 0
    permissions.refuse_on_worker("add-node", 1)
    options = parser.parse_args(words)
    token = options.token or secrets.token_hex(16)
    if len(token) < 32:
        print("Invalid token size.  It must be 32 characters long.")
        return 1
    tokens.add(tokens.CLUSTER, token, options.token_ttl)
    show(options.format, token, certificates.fingerprint())
    return 0


def show(form: str, token: str, check: str) -> None:
    port = (arguments.get("cluster-agent", "--bind") or ":25000").rpartition(":")[2]
    urls = [f"{address}:{port}/{token}/{check}" for address in host.addresses()]
    preferred = f"{host.default_ip()}:{port}/{token}/{check}"
    if form == "token":
        print(token)
    elif form == "token-check":
        print(f"{token}/{check}")
    elif form == "json":
        print(json.dumps({"token": f"{token}/{check}", "urls": urls}, indent=2))
    elif form == "yaml":
        print(f"token: {token}/{check}\nurls:")
        for url in urls:
            print(f"- {url}")
    elif form == "short":
        for url in [preferred, f"{preferred} --worker", *(u for u in urls if u != preferred)]:
            print(f"microk8s join {url}")
    else:
        print("From the node you wish to join to this cluster, run the following:")
        print(f"microk8s join {preferred}\n")
        print("Use the '--worker' flag to join a node as a worker not running the control plane, eg:")
        print(f"microk8s join {preferred} --worker\n")
        print("If the node you are adding is not reachable through the default interface you can use one of the following:")
        for url in urls:
            print(f"microk8s join {url}")
