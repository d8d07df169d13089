"""A node becomes a worker: its arguments, certificates and API address are the other cluster's from now on."""

import sys

import agent_client
import arguments
import certificates
import endpoints
import host
import kubeconfigs
import locks
import paths
import snapctl
import tokens


def join(answer: dict, agent: str, token: str) -> None:
    write_certificate("ca.remote.crt", answer["ca"])
    # From now on the neighbours' calls (images, arguments) are allowed here.
    tokens.write(tokens.OWN_CALLBACK, [answer["callback_token"]])
    take_arguments(answer)
    for name, subject, san in (("kubelet", certificates.kubelet_subject(), certificates.node_names()),
                               ("proxy", "/CN=system:kube-proxy", "")):
        signed(name, certificates.request(name, subject, san), agent, token)
        kubeconfigs.write(name, authority="ca.remote.crt")
    endpoints.write(answer["control_plane_nodes"])
    for name in ("clustered.lock", "no-k8s-dqlite", "no-cert-reissue"):
        locks.set(name)
    locks.clear("no-apiserver-proxy")
    for service in ("daemon-k8s-dqlite", "daemon-apiserver-proxy", "daemon-kubelite", "daemon-cluster-agent"):
        snapctl.restart(service)
    print("\nThe node has joined the cluster and will appear in the nodes list in a few seconds.\n\n"
          "This worker node gets automatically configured with the API server endpoints.\n"
          "If the API servers are behind a loadbalancer please set the '--refresh-interval' to '0s' in:\n"
          "    /var/snap/microk8s/current/args/apiserver-proxy\n"
          "and replace the API server endpoints with the one provided by the loadbalancer in:\n"
          "    /var/snap/microk8s/current/args/traefik/provider.yaml\n")


def take_arguments(answer: dict) -> None:
    """The kubelet's file is replaced by the control plane's text: what was set here is lost."""
    arguments.write("kubelet", answer["kubelet_args"])
    arguments.put("kubelet", "--node-labels",
                  "microk8s.io/cluster=true,node.kubernetes.io/microk8s-worker=microk8s-worker")
    arguments.put("kubelet", "--client-ca-file", "${SNAP_DATA}/certs/ca.remote.crt")
    arguments.put("kubelet", "--hostname-override", None)
    if arguments.get("kubelet", "--node-ip") is not None:
        arguments.put("kubelet", "--node-ip", host.default_ip())
    arguments.put("kube-apiserver", "--authorization-mode", answer["api_authz_mode"])
    theirs, ours = answer.get("cluster_cidr"), arguments.get("kube-proxy", "--cluster-cidr")
    if theirs and theirs != ours:
        print("WARNING: Joining a cluster that has a different CIDR. The kube-proxy CIDR configuration will be overwritten.")
        print(f"WARNING: Cluster CIDR: {theirs} -- Node CIDR: {ours} -- The new CIDR will be: {theirs}")
        arguments.put("kube-proxy", "--cluster-cidr", theirs)


def signed(name: str, request: str, agent: str, token: str) -> None:
    status, answer = agent_client.post(agent, "/cluster/api/v1.0/sign-cert", {"token": f"{token}-{name}", "request": request})
    if status != 200:
        print(f"Failed to sign {name} certificate. {answer.get('error', '')} ({status}).")
        sys.exit(1)
    write_certificate(f"{name}.crt", answer["certificate"])


def write_certificate(name: str, text: str) -> None:
    file = paths.CERTS / name
    file.write_text(text)
    file.chmod(0o660)
