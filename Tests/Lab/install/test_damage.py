#!/usr/bin/python3
"""One thing at a time is damaged: the plan names just that, the installer mends it, and then nothing is planned. Run as root."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness  # noqa: E402 (the path comes first)
from harness import ADDRESS, CONFIG, DONE, LAB, SETTLED, STAGES, Machine, outside, wait_until  # noqa: E402

head = Machine()
CTR = "/snap/bin/microk8s ctr"
KUBECTL = "/snap/bin/microk8s kubectl"
SERVER = "docker.io/myorg/jhub-lab:24.10"
ROUTE = "jhub-default-route.service"
# False while something may be left that a failed test broke.
stands = False


def setUpModule():
    global stands
    harness.up()
    head.prepare()
    head.write(CONFIG, (LAB / "jhub.env").read_text() + "ENABLE_NGINX_PROXY=true\n")
    head.install("--yes", check=DONE)
    stands = True


def tearDownModule():
    """Each test's plan shows that what was damaged before it is mended; this one, that the last is."""
    def once_nothing_waits():
        plan = head.plan()
        return plan if not any(str(state).startswith("waits: ") for state in plan.values()) else None
    plan = wait_until(once_nothing_waits, "a plan in which nothing waits", 60)
    if plan != SETTLED:
        raise harness.Failed(f"at the end: {plan}")


class Damage(unittest.TestCase):
    def setUp(self):
        if not stands:
            head.install("--yes", check=DONE)

    def mends(self, damage, stage, *changes, others=(), seconds=60):
        """Runs a bash script, or a function, that damages; then the plan must be these changes of one stage, each told by a piece of its
        text, and of no other, and the installer must mend it, which it ends with by asking every stage again. The stages `others` may
        wait meanwhile for what is damaged."""
        global stands
        stands = False
        if callable(damage):
            damage()
        else:
            head.run("set -euo pipefail\n" + damage)

        def names_just_that():
            plan = head.plan()
            planned = plan.pop(stage)
            self.assertIsInstance(planned, list, f"{stage}: {planned}; all else: {plan}")
            self.assertEqual(len(planned), len(changes), planned)
            for change, piece in zip(planned, changes):
                self.assertIn(piece, change)
            for other, state in plan.items():
                if not (other in others and str(state).startswith("waits: ")):
                    self.assertEqual(state, "settled", other)
            return planned

        # A controller or a daemon may need a moment before the damage shows, or before all else is quiet again.
        planned = wait_until(names_just_that, f"a plan of {changes} in {stage}", seconds)
        result = head.install("--yes", check=DONE)
        for change in planned:
            self.assertIn(change.split(" (")[0], result.stdout)
        stands = True


class Host(Damage):
    def test_a_sysctl(self):
        self.mends("sysctl -q -w net.ipv4.ip_forward=0", "host", "sysctl -q -w net.ipv4.ip_forward=1",
                   others=["hub", "access"])
        self.assertEqual(head.out("sysctl -n net.ipv4.ip_forward"), "1")

    def test_the_sysctls_file(self):
        self.mends("rm /etc/sysctl.d/90-jhub.conf", "host", "write /etc/sysctl.d/90-jhub.conf")

    def test_the_modules_file(self):
        self.mends("echo overlay >/etc/modules-load.d/jhub.conf", "host", "write /etc/modules-load.d/jhub.conf")

    def test_the_block_in_hosts(self):
        before = head.read("/etc/hosts")
        self.assertIn(f"{ADDRESS} head", before)
        self.mends("sed -i '/BEGIN jhub-install/,/END jhub-install/d' /etc/hosts", "host", "write /etc/hosts")
        self.assertEqual(head.read("/etc/hosts"), before)

    def test_the_default_route(self):
        self.mends("ip route del default", "host", f"systemctl restart {ROUTE}")
        self.assertIn("dev dummyjhub0", head.out("ip route show default"))

    def test_the_default_route_at_the_next_boot(self):
        self.mends(f"systemctl disable -q {ROUTE}", "host", f"systemctl enable {ROUTE}")
        self.assertEqual(head.out(f"systemctl is-enabled {ROUTE}"), "enabled")


class Cluster(Damage):
    LATER = [stage for stage in STAGES[STAGES.index("network"):] if stage != "access"]

    def test_kubernetes_is_stopped(self):
        self.mends("systemctl stop snap.microk8s.daemon-kubelite", "cluster", "snap start --enable microk8s.daemon-kubelite",
                   others=self.LATER)

    def test_containerd_is_stopped(self):
        self.mends("systemctl stop snap.microk8s.daemon-containerd", "cluster",
                   "snap start --enable microk8s.daemon-containerd", others=["images", *self.LATER])

    def test_microk8s_is_stopped(self):
        self.mends("/snap/bin/microk8s stop >/dev/null", "cluster", "microk8s start", others=["images", *self.LATER, "access"])

    def test_the_hold_of_refreshes(self):
        self.mends("snap refresh --unhold microk8s >/dev/null", "cluster", "snap refresh --hold microk8s")
        self.assertIn("held", head.out("snap list microk8s"))

    def test_rbac(self):
        arguments = "/var/snap/microk8s/current/args/kube-apiserver"
        self.mends(f"""
            sed -i 's/--authorization-mode=.*/--authorization-mode=AlwaysAllow/' {arguments}
            systemctl restart snap.microk8s.daemon-kubelite
            """, "cluster", "snap stop microk8s.daemon-kubelite", f"write {arguments}", "snap start microk8s.daemon-kubelite",
                   seconds=90)
        self.assertIn("--authorization-mode=RBAC,Node", head.read(arguments))

    def test_a_server_that_was_started_without_rbac(self):
        arguments = "/var/snap/microk8s/current/args/kube-apiserver"
        self.mends(f"""
            cp -a {arguments} /run/arguments
            sed -i 's/--authorization-mode=.*/--authorization-mode=AlwaysAllow/' {arguments}
            systemctl restart snap.microk8s.daemon-kubelite
            until {KUBECTL} auth can-i '*' '*' --as nobody >/dev/null; do sleep 0.5; done
            cp -a /run/arguments {arguments}
            """, "cluster", "snap stop microk8s.daemon-kubelite", "snap start microk8s.daemon-kubelite", seconds=90)
        self.assertEqual(head.run(f"{KUBECTL} auth can-i '*' '*' --as nobody", check=False).stdout, "no\n")


class Images(Damage):
    def images(self):
        rows = [row.split() for row in head.out(f"{CTR} images ls").splitlines()[1:]]
        return {row[0]: (row[2], row[-1]) for row in rows}

    def setUp(self):
        super().setUp()
        self.good = self.images()[SERVER]
        self.assertIn("io.cri-containerd.pinned=pinned", self.good[1])

    def tearDown(self):
        digest, labels = self.images()[SERVER]
        self.assertEqual(digest, self.good[0])
        self.assertIn("io.cri-containerd.pinned=pinned", labels)

    def test_a_deleted_image(self):
        self.mends(f"{CTR} images rm --sync {SERVER} >/dev/null", "images", f"load {SERVER}")

    def test_a_tag_that_was_moved(self):
        self.mends(f"{CTR} images tag --force docker.io/library/busybox:1.28.4 {SERVER} >/dev/null", "images", f"load {SERVER}")

    def test_a_pin(self):
        self.mends(f"{CTR} images label {SERVER} io.cri-containerd.pinned= >/dev/null", "images", f"load {SERVER}")


class System(Damage):
    """What runs in kube-system."""

    def test_calicos_daemon_set(self):
        self.mends(f"{KUBECTL} -n kube-system delete daemonset calico-node >/dev/null", "network",
                   "apply kube-system DaemonSet/calico-node")

    def test_coredns(self):
        self.mends(f"{KUBECTL} -n kube-system delete deployment coredns >/dev/null", "dns", "microk8s enable dns",
                   others=["hub", "access"])
        self.assertNotRegex(head.get("configmap", "coredns", "kube-system")["data"]["Corefile"], r"(?m)^\s*forward")

    def test_a_public_resolver(self):
        def edit():
            found = head.get("configmap", "coredns", "kube-system")
            old = found["data"]["Corefile"]
            found["data"]["Corefile"] = old.replace("    loop\n", "    forward . 8.8.8.8 8.8.4.4\n    loop\n")
            self.assertNotEqual(found["data"]["Corefile"], old)
            head.kubectl("replace", "-f", "-", stdin=json.dumps(found))

        self.mends(edit, "dns", "apply kube-system ConfigMap/coredns")
        self.assertNotIn("8.8.8.8", head.get("configmap", "coredns", "kube-system")["data"]["Corefile"])

    def test_the_default_storage_class(self):
        self.mends(f"{KUBECTL} annotate --overwrite storageclass microk8s-hostpath "
                   "storageclass.kubernetes.io/is-default-class=false >/dev/null", "storage",
                   "apply StorageClass/microk8s-hostpath")


class Hub(Damage):
    def test_the_shared_folder(self):
        self.mends("rm -r /srv/jhub/storage", "storage", "make the folder /srv/jhub/storage (0755)")

    def test_our_network_policy(self):
        self.mends(f"{KUBECTL} -n jhub delete networkpolicy singleuser-isolation >/dev/null", "storage",
                   "apply jhub NetworkPolicy/singleuser-isolation")

    def test_a_network_policy_of_the_chart(self):
        # Anybody may now talk to the hub.
        self.mends(f"""{KUBECTL} -n jhub patch networkpolicy hub --type json \
                       -p '[{{"op": "add", "path": "/spec/ingress/-", "value": {{}}}}]' >/dev/null""", "hub",
                   "edited since: jhub NetworkPolicy/hub spec.ingress")

    def test_the_hubs_image(self):
        self.mends(f"{KUBECTL} -n jhub set image deployment/hub hub=docker.io/library/busybox:1.28.4 >/dev/null", "hub",
                   "edited since: jhub Deployment/hub ", others=["access"])

    def test_the_hubs_replicas(self):
        self.mends(f"{KUBECTL} -n jhub scale deployment/hub --replicas 0 >/dev/null", "hub",
                   "edited since: jhub Deployment/hub spec.replicas", others=["access"])

    def test_the_public_service(self):
        self.mends(f"{KUBECTL} -n jhub delete service proxy-public >/dev/null", "hub", "jhub Service/proxy-public",
                   others=["access"])

    def test_the_hubs_config_map(self):
        self.mends(f"{KUBECTL} -n jhub delete configmap hub >/dev/null", "hub", "jhub ConfigMap/hub")

    def test_bounds_that_the_config_turns_on_and_off(self):
        key, bounds = "ENABLE_RESOURCE_QUOTA", ["jhub ResourceQuota/jhub-quota", "jhub LimitRange/jhub-defaults"]
        self.mends(f"echo {key}=true >>{CONFIG}", "storage", *[f"apply {bound}" for bound in bounds])
        self.mends(f"sed -i s/{key}=true/{key}=false/ {CONFIG}", "storage", *[f"delete {bound}" for bound in bounds])
        self.assertIsNone(head.get("resourcequota", "jhub-quota", "jhub"))

    def test_a_value_of_the_config(self):
        self.mends(f"echo NAMED_SERVER_LIMIT=7 >>{CONFIG}", "hub", "named_server_limit_per_user")


class Access(Damage):
    SITE = "/etc/nginx/conf.d/jhub.conf"
    CERTIFICATE = "/etc/nginx/jhub/cert.pem"

    def tearDown(self):
        """Whoever asks from outside gets the login page, with the certificate that lies there."""
        self.assertTrue('name="password"' in self.page(), "that is not the login page")

    def page(self):
        head.fetch(self.CERTIFICATE, file := f"/tmp/jhub-lab-{harness.ID}.pem")
        try:
            return outside("curl", "-sSfL", "--cacert", file, f"https://{ADDRESS}/hub/login").stdout
        finally:
            os.remove(file)

    def test_the_sites_file(self):
        self.mends(f"rm {self.SITE}; systemctl reload nginx", "access", f"write {self.SITE}",
                   "systemctl reload nginx")

    def test_an_edit_of_the_sites_file(self):
        self.mends(f"sed -i 's/proxy_pass .*/return 404;/' {self.SITE}; systemctl reload nginx", "access", f"write {self.SITE}",
                   "systemctl reload nginx")

    def test_nginx_is_stopped(self):
        self.mends("systemctl stop nginx", "access", "systemctl enable --now nginx")

    def test_nginx_at_the_next_boot(self):
        self.mends("systemctl disable -q nginx", "access", "systemctl enable nginx")
        self.assertEqual(head.out("systemctl is-enabled nginx"), "enabled")

    def test_the_certificate(self):
        self.mends(f"rm {self.CERTIFICATE}", "access", "make the folder /etc/nginx/jhub", "there is no certificate")

    def test_a_certificate_that_ends(self):
        self.mends(f"""
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 5 -subj /CN={ADDRESS} \
                -addext subjectAltName=IP:{ADDRESS} -keyout /etc/nginx/jhub/key.pem -out {self.CERTIFICATE} 2>/dev/null
            systemctl reload nginx
            """, "access", "make the folder /etc/nginx/jhub", "the certificate ends within 30 days")

    def test_a_certificate_for_another_name(self):
        self.mends(f"""
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 90 -subj /CN=other.example \
                -addext subjectAltName=DNS:other.example -keyout /etc/nginx/jhub/key.pem -out {self.CERTIFICATE} 2>/dev/null
            systemctl reload nginx
            """, "access", "make the folder /etc/nginx/jhub", f"the certificate does not name {ADDRESS}")


if __name__ == "__main__":
    unittest.main()
