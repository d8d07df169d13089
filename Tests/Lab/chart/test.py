#!/usr/bin/python3
"""Tests of the lab's chart: what it renders, what it refuses, what the hub reads out of it, what an API server says."""

import base64
import copy
import glob
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import types
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
LAB = os.path.dirname(HERE)
CHART = os.path.join(HERE, "jupyterhub")
REPOSITORY = os.path.dirname(os.path.dirname(LAB))


def built(part):
    build = os.path.join(LAB, part, "build")
    return subprocess.run([build], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


HELM = os.path.join(built("helm"), "helm", "helm")
sys.path[:0] = [os.path.dirname(HELM), os.path.join(LAB, "helm")]

import apiserver  # noqa: E402 (paths come first)
from helm_python import values_from_yaml as yaml  # noqa: E402 (Helm's own reader of YAML)

# The schema of the real chart 4.2.0, where it is at hand.
REAL_SCHEMA = os.environ.get("JHUB_Z2JH_SCHEMA") or os.path.join(
    os.path.dirname(REPOSITORY), "shared", "reference", "z2jh-4.2.0-values.schema.json")

OFFLINE = yaml("""
hub:
  config:
    JupyterHub: {authenticator_class: native}
    NativeAuthenticator: {open_signup: false}
    Authenticator: {allow_all: true, admin_users: [ana]}
  cookieSecret: aa00000000000000000000000000000000000000000000000000000000000000
  db: {type: sqlite-pvc, pvc: {storage: 2Gi, storageClassName: microk8s-hostpath}}
  extraConfig: {10-second: "assert first\\nc.JupyterHub.base_url = '/last'", 00-first: "first = True"}
  extraEnv: {A: b}
  extraFiles:
    settings: {mountPath: /etc/settings.yaml, data: {a: 1}}
    text: {mountPath: /etc/text, stringData: hello, mode: 0400}
  existingSecret: hub-extra
  services: {monitor: {url: "http://10.0.0.1"}}
  loadRoles: {readers: {scopes: [list:users], services: [monitor]}}
proxy:
  secretToken: abcdef
  service: {type: NodePort, nodePorts: {http: 30080, https: 30443}}
singleuser:
  image: {name: registry.lab/user, tag: "1.0", pullPolicy: IfNotPresent}
  cpu: {limit: 2, guarantee: 0.5}
  memory: {limit: 2G, guarantee: 512M}
  extraResource: {limits: {nvidia.com/gpu: "1"}}
  extraEnv: {LANG: C.UTF-8, TOKEN: {valueFrom: {secretKeyRef: {name: s, key: k}}}}
  extraFiles: {notice: {mountPath: /etc/notice, stringData: hello}}
  profileList:
    - display_name: Small
      slug: small
      default: true
      kubespawner_override: {cpu_limit: 1, image: "registry.lab/small:1"}
  storage:
    type: dynamic
    capacity: 5Gi
    dynamic: {storageClass: microk8s-hostpath}
    extraVolumes: [{name: shared, hostPath: {path: "/srv/{username}"}}]
    extraVolumeMounts: [{name: shared, mountPath: /workspace/storage}]
  cloudMetadata: {blockWithIptables: false}
  networkPolicy: {egressAllowRules: {privateIPs: true}}
cull: {timeout: 7200, users: true}
prePuller: {hook: {enabled: false}, continuous: {enabled: false}}
scheduling: {userScheduler: {enabled: false}, userPlaceholder: {enabled: false}}
""")

REFUSED = "Error: values don't meet the specifications of the schema(s) in the following chart(s):\njupyterhub:\n"
HOME = tempfile.TemporaryDirectory()  # Helm's library keeps a discovery cache under it


def merged(base, over):
    """As Helm lays values over a chart's: maps deep, lists replaced, null deletes."""
    result = copy.deepcopy(base)
    for key, value in over.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def chart_values():
    with open(os.path.join(CHART, "values.yaml")) as file:
        return yaml(file.read())


def helm(*arguments, values=None, **environment):
    given = ["-f", "-"] if values is not None else []
    return subprocess.run([HELM, *arguments, *given], input=json.dumps(values), capture_output=True, text=True,
                          env={"PATH": "/usr/bin:/bin", "HOME": HOME.name, **environment})


def documents(text):
    return [yaml(part) for part in re.split(r"(?m)^---$", text) if re.sub(r"(?m)^#.*$", "", part).strip()]


def rendered(values, *flags):
    """{"Kind name": object}"""
    done = helm("template", "hub", CHART, "-n", "jupyter", *flags, values=values)
    if done.returncode:
        raise AssertionError(done.stderr)
    return {f"{each['kind']} {each['metadata']['name']}": each for each in documents(done.stdout)}


class Rendering(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.offline = rendered(OFFLINE)

    def pod(self, name, objects=None):
        return (objects or self.offline)[f"Deployment {name}"]["spec"]["template"]

    def test_names(self):
        self.assertEqual(sorted(self.offline), [
            "ConfigMap hub", "Deployment hub", "Deployment proxy", "NetworkPolicy hub", "NetworkPolicy proxy",
            "NetworkPolicy singleuser", "PersistentVolumeClaim hub-db-dir", "Role hub", "RoleBinding hub", "Secret hub",
            "Secret singleuser", "Service hub", "Service proxy-api", "Service proxy-public", "ServiceAccount hub"])
        self.assertIn("Deployment x-hub", rendered(merged(OFFLINE, {"fullnameOverride": "x"})))

    def test_defaults_ask_for_what_an_offline_site_lacks(self):
        objects = rendered({})
        for name in ("DaemonSet hook-image-puller", "Job hook-image-awaiter", "DaemonSet continuous-image-puller",
                     "Deployment user-scheduler", "StatefulSet user-placeholder"):
            self.assertIn(name, objects)
        self.assertEqual(objects["Service proxy-public"]["spec"]["type"], "LoadBalancer")

    def test_every_port_names_its_protocol(self):
        offloaded = rendered({"proxy": {"https": {"enabled": True, "type": "offload"}}})
        for name, each in [*self.offline.items(), *offloaded.items()]:
            if name.startswith("Service "):
                for port in each["spec"]["ports"]:
                    self.assertEqual(port["protocol"], "TCP", name)

    def test_labels_and_probes(self):
        for name in ("hub", "proxy"):
            labels = self.offline[f"Deployment {name}"]["metadata"]["labels"]
            self.assertEqual((labels["app"], labels["component"], labels["release"]), ("jupyterhub", name, "hub"))
        probes = [(kind, probe["httpGet"]["path"], probe["initialDelaySeconds"], probe["periodSeconds"],
                   probe["timeoutSeconds"], probe["failureThreshold"])
                  for pod in ("hub", "proxy") for kind in ("livenessProbe", "readinessProbe")
                  for probe in [self.pod(pod)["spec"]["containers"][0][kind]]]
        self.assertEqual(probes, [("livenessProbe", "/hub/health", 300, 10, 3, 30),
                                  ("readinessProbe", "/hub/health", 0, 2, 1, 1000),
                                  ("livenessProbe", "/_chp_healthz", 60, 10, 3, 30),
                                  ("readinessProbe", "/_chp_healthz", 0, 2, 1, 1000)])
        self.assertEqual(set(self.pod("hub")["metadata"]["annotations"]), {"checksum/config-map", "checksum/secret"})

    def test_ports_and_storage(self):
        ports = {port["name"]: port for port in self.offline["Service proxy-public"]["spec"]["ports"]}
        self.assertEqual({name: port["nodePort"] for name, port in ports.items()}, {"http": 30080})
        for name, port in (("hub", 8081), ("proxy-api", 8001)):
            self.assertEqual([each["port"] for each in self.offline[f"Service {name}"]["spec"]["ports"]], [port])
        claim = self.offline["PersistentVolumeClaim hub-db-dir"]["spec"]
        self.assertEqual(claim["storageClassName"], "microk8s-hostpath")
        self.assertEqual(claim["resources"]["requests"]["storage"], "2Gi")
        self.assertNotIn("PersistentVolumeClaim hub-db-dir", rendered({"hub": {"db": {"type": "sqlite-memory"}}}))

    def test_given_secrets(self):
        data = {key: base64.b64decode(value).decode() for key, value in self.offline["Secret hub"]["data"].items()}
        self.assertEqual(data["hub.config.ConfigurableHTTPProxy.auth_token"], "abcdef")
        self.assertEqual(data["hub.config.JupyterHub.cookie_secret"], OFFLINE["hub"]["cookieSecret"])
        self.assertRegex(data["hub.config.CryptKeeper.keys"], r"^[0-9a-f]{64}$")
        self.assertRegex(data["hub.services.monitor.apiToken"], r"^[0-9a-f]{64}$")
        self.assertEqual((yaml(data["settings"]), data["text"]), ({"a": 1}, "hello"))
        values = yaml(data["values.yaml"])
        self.assertEqual((values["Release"]["Name"], values["Chart"]["Version"]), ("hub", "4.2.0"))

    def test_tls(self):
        values = {"proxy": {"https": {"enabled": True, "type": "manual", "manual": {"key": "K", "cert": "C"}},
                            "service": {"type": "NodePort", "nodePorts": {"https": 30443}}}}
        objects = rendered(values)
        self.assertIn("Secret proxy-public-manual-tls", objects)
        command = self.pod("proxy", objects)["spec"]["containers"][0]["command"]
        self.assertIn("--ssl-cert=/etc/chp/tls/tls.crt", command)
        self.assertEqual(objects["Service proxy-public"]["spec"]["ports"][0]["nodePort"], 30443)
        done = helm("template", "hub", CHART, values={"proxy": {"https": {"enabled": True}}})
        self.assertIn("letsencrypt needs the Internet", done.stderr)

    def test_metadata_conflict(self):
        done = helm("template", "hub", CHART, values={"singleuser": {"networkPolicy": {"egressAllowRules": {
            "cloudMetadataServer": True}}}})
        self.assertIn("cloudMetadata.blockWithIptables", done.stderr)

    def test_pullers_name_every_image(self):
        values = merged(OFFLINE, {"prePuller": {"continuous": {"enabled": True},
                                                "extraImages": {"x": {"name": "a/b", "tag": "2"}}}})
        pods = rendered(values)["DaemonSet continuous-image-puller"]["spec"]["template"]["spec"]["initContainers"]
        self.assertEqual([each["image"] for each in pods], ["registry.lab/user:1.0", "registry.lab/small:1", "a/b:2"])

    def test_the_archive_is_always_the_same(self):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            sums = []
            for cache in (one, two):
                folder = subprocess.run([os.path.join(HERE, "build")], env=dict(os.environ, JHUB_LAB_CACHE=cache),
                                        stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
                with open(os.path.join(folder, "charts", "jupyterhub-4.2.0.tgz"), "rb") as file:
                    sums.append(hashlib.sha256(file.read()).hexdigest())
        self.assertEqual(*sums)


class Schema(unittest.TestCase):
    def test_wrong_values_are_refused(self):
        for values, fault in (
                ({"singleuser": {"cpu": {"limit": "2"}}}, "singleuser.cpu.limit: Invalid type."),
                ({"hub": {"image": {"tag": 4.2}}}, "hub.image.tag: Invalid type."),
                ({"proxy": {"service": {"nodePorts": {"http": "30080"}}}},
                 "proxy.service.nodePorts.http: Invalid type."),
                ({"proxy": {"service": {"type": "Nodeport"}}}, "proxy.service.type: "),
                ({"frob": 1}, "(root): Additional property frob is not allowed"),
                ({"singleuser": {"storage": {"dynamic": {"class": "x"}}}},
                 "singleuser.storage.dynamic: Additional property class is not allowed"),
                ({"cull": {"every": "600"}}, "cull.every: Invalid type."),
                ({"singleuser": {"storage": {"type": "nfs"}}}, "singleuser.storage.type: "),
                ({"singleuser": {"extraLabels": {"a": True}}}, "singleuser.extraLabels.a: Invalid type."),
                ({"singleuser": {"extraTolerations": {}}}, "singleuser.extraTolerations: Invalid type."),
                ({"hub": {"extraFiles": {"x": {"mountPath": "/x"}}}}, "hub.extraFiles.x: "),
                ({"hub": {"db": {"type": "sqlite"}}}, "hub.db.type: ")):
            done = helm("template", "hub", CHART, values=values)
            self.assertEqual(done.returncode, 1, values)
            self.assertIn(REFUSED, done.stderr)
            self.assertIn("- " + fault, done.stderr)

    def test_open_places_are_open(self):
        rendered({"custom": {"anything": [1]}, "hub": {"config": {"New": {"trait": 1}}, "templateVars": {"a": 1}},
                  "singleuser": {"extraPodConfig": {"runtimeClassName": "nvidia"}, "cpu": {"limit": None}}})

    def test_lint(self):
        done = helm("lint", CHART, values=OFFLINE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_schema_knows_every_key_of_the_values(self):
        with open(os.path.join(CHART, "values.schema.json")) as file:
            schema = json.load(file)
        self.assert_known(chart_values(), schema, schema["definitions"], "")

    def assert_known(self, values, schema, definitions, place):
        if "$ref" in schema:
            schema = definitions[schema["$ref"].rpartition("/")[2]]
        if schema.get("additionalProperties") is not False:
            return
        # Both ways: a key of the schema without a default would be a value that nothing reads.
        optional = {"rollingUpdate", "postStart", "preStop"}
        self.assertEqual(set(values) - optional, set(schema["properties"]) - optional, place)
        for key, value in values.items():
            if isinstance(value, dict):
                self.assert_known(value, schema["properties"][key], definitions, f"{place}.{key}")

    def test_against_the_schema_of_the_real_chart(self):
        if not os.path.exists(REAL_SCHEMA):
            self.skipTest(f"no {REAL_SCHEMA}")
        jsonschema = load_jsonschema()
        if jsonschema is None:
            self.skipTest("jsonschema cannot be had")
        with open(REAL_SCHEMA) as file:
            validator = jsonschema.Draft7Validator(json.load(file))
        for values in ({}, OFFLINE):
            faults = [f"{'.'.join(map(str, fault.path))}: {fault.message}"
                      for fault in validator.iter_errors(merged(chart_values(), values))]
            self.assertEqual(faults, [])


def load_jsonschema():
    """The module, from a folder in the lab's cache that pip fills once; None where that fails."""
    folder = os.path.join(os.environ.get("JHUB_LAB_CACHE", "/var/cache/jhub-lab"), "jsonschema-4.26.0")
    if not os.path.isdir(folder):
        with tempfile.TemporaryDirectory(dir=os.path.dirname(folder), prefix=".jsonschema-") as work:
            venv = [os.path.join(work, "venv", "bin", "python3")]
            target = os.path.join(work, "packages")
            done = subprocess.run(["/usr/bin/python3", "-m", "venv", os.path.dirname(os.path.dirname(venv[0]))],
                                  stdout=subprocess.DEVNULL)
            done = done.returncode or subprocess.run(
                venv + ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:",
                        "--target", target, "jsonschema==4.26.0"]).returncode
            if done:
                return None
            os.rename(target, folder)
    sys.path.append(folder)
    import jsonschema
    return jsonschema


class Traits(dict):
    """What traitlets' `c` is to a configuration file: sections that spring up, traits that are set."""

    def __getattr__(self, name):
        if name[0].isupper():
            return self.setdefault(name, Traits())
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __missing__(self, name):
        return self.setdefault(name, Traits())

    def __setattr__(self, name, value):
        self[name] = value


def hub_config(values, existing=None):
    """Runs the chart's jupyterhub_config.py as the hub's pod would, with nothing of JupyterHub installed."""
    objects = rendered(values)
    with tempfile.TemporaryDirectory() as folder:
        def put(name, data):
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(data)

        for key, value in objects["Secret hub"]["data"].items():
            put(f"secret/{key}", base64.b64decode(value).decode())
        for key, value in (existing or {}).items():
            put(f"existing-secret/{key}", value)
        for key, value in objects["ConfigMap hub"]["data"].items():
            put(key, value)
        put("jupyterhub_config.d/site.py", "c.JupyterHub.base_url = '/file'\nc.JupyterHub.from_file = True\n")
        c = Traits()

        def load_subconfig(path):
            with open(path) as file:
                exec(compile(file.read(), path, "exec"), {"c": c})

        path = os.path.join(folder, "jupyterhub_config.py")
        kept = dict(sys.modules), list(sys.path)
        sys.modules["yaml"] = types.SimpleNamespace(safe_load=lambda stream: yaml(stream.read()))
        os.environ["Z2JH_FOLDER"] = folder
        output, sys.stdout = sys.stdout, sys.stderr if "-v" in sys.argv else open(os.devnull, "w")
        try:
            with open(path) as file:
                exec(compile(file.read(), path, "exec"), {"c": c, "load_subconfig": load_subconfig, "__file__": path})
        finally:
            if sys.stdout is not sys.stderr:
                sys.stdout.close()
            sys.stdout = output
            del os.environ["Z2JH_FOLDER"]
            for name in ("yaml", "z2jh"):
                sys.modules.pop(name, None)
            sys.modules.update({name: kept[0][name] for name in ("yaml", "z2jh") if name in kept[0]})
            sys.path[:] = kept[1]
        return c


class HubConfig(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.c = hub_config(OFFLINE)

    def test_order(self):
        self.assertEqual(self.c.JupyterHub.base_url, "/last")  # extraConfig over the file over the values
        self.assertTrue(self.c.JupyterHub.from_file)
        self.assertEqual(self.c.JupyterHub.authenticator_class, "native")
        self.assertEqual(self.c.Authenticator.admin_users, ["ana"])

    def test_users_pods(self):
        spawner = self.c.KubeSpawner
        self.assertEqual((spawner.image, spawner.image_pull_policy), ("registry.lab/user:1.0", "IfNotPresent"))
        self.assertEqual((spawner.cpu_limit, spawner.cpu_guarantee, spawner.mem_limit), (2, 0.5, "2G"))
        self.assertEqual(spawner.pod_name_template, "jupyter-{user_server}")
        self.assertEqual(spawner.pvc_name_template, "claim-{user_server}")
        self.assertEqual((spawner.uid, spawner.fs_gid, spawner.allow_privilege_escalation), (1000, 100, False))
        self.assertEqual(spawner.storage_class, "microk8s-hostpath")
        self.assertEqual([mount["mountPath"] for mount in spawner.volume_mounts],
                         ["/home/jovyan", "/etc/notice", "/workspace/storage"])
        self.assertEqual(spawner.init_containers, [])
        self.assertEqual(spawner.profile_list[0]["slug"], "small")
        self.assertEqual(spawner.common_labels["release"], "hub")
        self.assertNotIn("scheduler_name", spawner)
        self.assertEqual(self.c.Spawner.cmd, "jupyterhub-singleuser")

    def test_storage_types(self):
        static = hub_config(merged(OFFLINE, {"singleuser": {"storage": {
            "type": "static", "static": {"pvcName": "home"}}}}))
        self.assertEqual(static.KubeSpawner.volume_mounts[0],
                         {"name": "home", "mountPath": "/home/jovyan", "subPath": "{username}"})
        none = hub_config(merged(OFFLINE, {"singleuser": {"storage": {"type": "none"}}}))
        self.assertEqual([mount["name"] for mount in none.KubeSpawner.volume_mounts], ["files", "shared"])

    def test_services_and_roles(self):
        culler, monitor = self.c.JupyterHub.services
        self.assertIn("--timeout=7200", culler["command"])
        self.assertIn("--cull-users", culler["command"])
        self.assertEqual(len(monitor["api_token"]), 64)
        roles = {role["name"]: role for role in self.c.JupyterHub.load_roles}
        self.assertEqual(roles["jupyterhub-idle-culler"]["scopes"],
                         ["list:users", "read:users:activity", "read:servers", "delete:servers", "admin:users"])
        self.assertEqual(roles["readers"]["scopes"], ["list:users"])

    def test_existing_secret_is_laid_over(self):
        c = hub_config(OFFLINE, {"values.yaml": "hub: {config: {GenericOAuthenticator: {client_secret: s}}}"})
        self.assertEqual(c.GenericOAuthenticator.client_secret, "s")
        self.assertEqual(c.JupyterHub.authenticator_class, "native")

    def test_metadata_is_blocked_by_default(self):
        c = hub_config(merged(OFFLINE, {"singleuser": {"cloudMetadata": {"blockWithIptables": True}}}))
        self.assertEqual(c.KubeSpawner.init_containers[0]["image"], "quay.io/jupyterhub/k8s-network-tools:4.2.0")


@unittest.skipUnless(apiserver.available(), "no kube-apiserver or no etcd here")
class Cluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.api = apiserver.ApiServer().__enter__()
        cls.addClassCleanup(cls.api.__exit__)
        cls.archive = glob.glob(os.path.join(built("chart"), "charts", "*.tgz"))[0]

    def upgrade(self, values, *flags):
        done = helm("upgrade", "--install", "hub", self.archive, "-n", self.namespace, "--create-namespace", *flags,
                    values=values, KUBECONFIG=self.api.kubeconfig)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def get(self, path):
        return self.api.request("GET", path.replace("NS", self.namespace))

    def template(self, name):
        return self.get(f"/apis/apps/v1/namespaces/NS/deployments/{name}")["spec"]["template"]

    def test_install_and_edit(self):
        self.namespace = "edited"
        values = merged(OFFLINE, {"hub": {"config": {"CryptKeeper": {"keys": ["ab" * 32]}},
                                          "services": {"monitor": {"apiToken": "cd" * 32}}}})
        self.upgrade(values)
        before = {name: self.template(name) for name in ("hub", "proxy")}
        self.api.patch("/apis/apps/v1/namespaces/edited/deployments/hub", {"spec": {"template": {"spec": {
            "containers": [{"name": "hub", "image": "evil:6"}]}}}})
        self.api.patch("/api/v1/namespaces/edited/configmaps/hub", {"data": {"z2jh.py": "broken"}})
        self.upgrade(values)
        self.assertEqual(before["hub"], self.template("hub"))
        self.assertIn("def get_config", self.get("/api/v1/namespaces/NS/configmaps/hub")["data"]["z2jh.py"])

    def test_secrets_stay_where_none_are_given(self):
        self.namespace = "secrets"
        values = merged(OFFLINE, {"hub": {"cookieSecret": None}, "proxy": {
            "secretToken": None, "service": {"nodePorts": {"http": 30081}}}})
        self.upgrade(values)
        first = self.get("/api/v1/namespaces/NS/secrets/hub")["data"]
        self.upgrade(values)
        second = self.get("/api/v1/namespaces/NS/secrets/hub")["data"]
        self.assertEqual(first, second)
        # From the second upgrade on nothing restarts any more.
        settled = self.template("hub"), self.template("proxy")
        self.upgrade(values)
        self.assertEqual(settled, (self.template("hub"), self.template("proxy")))

    def test_server_side_apply_takes_everything(self):
        self.namespace = "applied"
        self.api.request("POST", "/api/v1/namespaces", {"metadata": {"name": self.namespace}})
        everything = merged(OFFLINE, {
            "prePuller": {"hook": {"enabled": True}, "continuous": {"enabled": True}},
            "scheduling": {"userScheduler": {"enabled": True}, "userPlaceholder": {"enabled": True},
                           "podPriority": {"enabled": True}},
            "hub": {"pdb": {"enabled": True}},
            "proxy": {"chp": {"pdb": {"enabled": True}}, "service": {"nodePorts": {"http": 30082}}},
            "ingress": {"enabled": True, "hosts": ["hub.example"]}})
        done = helm("template", "hub", self.archive, "-n", self.namespace, "--kube-version", "v1.20.2",
                    values=everything)
        self.assertEqual(done.returncode, 0, done.stderr)
        kubectl = [os.path.join(apiserver.binaries(), "kubectl"), "--kubeconfig", self.api.kubeconfig]
        done = subprocess.run(kubectl + ["-n", self.namespace, "apply", "--server-side", "-f", "-"], input=done.stdout,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
