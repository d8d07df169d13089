"""The hub's configuration, out of the chart's values.

In this order, the later over the earlier: the chart's values below, hub.config, the files in
jupyterhub_config.d, hub.extraConfig. JupyterHub gives us `c` and `load_subconfig`.
"""
# ruff: noqa: F821

import glob
import os
import sys
from binascii import a2b_hex

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from z2jh import FOLDER, get_config, get_name, get_secret_value, set_config_if_not_none  # noqa: E402

BASE_URL = get_config("hub.baseUrl", "/")
DISALLOWED_IN_CONFIG = ("cookie_secret", "services", "load_roles")  # they have keys of their own

# --- the hub and its proxy -------------------------------------------------------------------------------------------

c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
c.JupyterHub.base_url = BASE_URL
c.JupyterHub.hub_bind_url = "http://:8081"
c.JupyterHub.hub_connect_url = f"http://{get_name('hub')}:8081"
c.ConfigurableHTTPProxy.api_url = f"http://{get_name('proxy-api')}:8001"
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.auth_token = get_secret_value("hub.config.ConfigurableHTTPProxy.auth_token")
c.JupyterHub.cookie_secret = a2b_hex(get_secret_value("hub.config.JupyterHub.cookie_secret"))
c.CryptKeeper.keys = get_secret_value("hub.config.CryptKeeper.keys").split(";")
# Users' servers outlive the hub.
c.JupyterHub.cleanup_servers = False
c.JupyterHub.last_activity_interval = 60
# A spawn is answered at once with "pending", so that the page can show its progress.
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}

for trait, key in (
    ("concurrent_spawn_limit", "concurrentSpawnLimit"),
    ("active_server_limit", "activeServerLimit"),
    ("allow_named_servers", "allowNamedServers"),
    ("named_server_limit_per_user", "namedServerLimitPerUser"),
    ("authenticate_prometheus", "authenticatePrometheus"),
    ("redirect_to_server", "redirectToServer"),
    ("shutdown_on_logout", "shutdownOnLogout"),
    ("template_paths", "templatePaths"),
    ("template_vars", "templateVars"),
):
    set_config_if_not_none(c.JupyterHub, trait, f"hub.{key}")

db = get_config("hub.db.type", "sqlite-pvc")
if db == "sqlite-pvc":
    c.JupyterHub.db_url = "sqlite:////srv/jupyterhub/jupyterhub.sqlite"
elif db == "sqlite-memory":
    c.JupyterHub.db_url = "sqlite://"
else:
    set_config_if_not_none(c.JupyterHub, "db_url", "hub.db.url")

if get_config("debug.enabled", False):
    c.JupyterHub.log_level = "DEBUG"
    c.Spawner.debug = True

# --- users' pods -----------------------------------------------------------------------------------------------------

c.KubeSpawner.namespace = os.environ.get("POD_NAMESPACE", "default")
c.KubeSpawner.pod_name_template = get_config("singleuser.podNameTemplate") or "jupyter-{user_server}"
c.KubeSpawner.component_label = "singleuser-server"
app = get_config("nameOverride") or get_config("Chart.Name", "jupyterhub")
c.KubeSpawner.common_labels = {
    "app": app,
    "app.kubernetes.io/name": app,
    "app.kubernetes.io/managed-by": "kubespawner",
    "release": get_config("Release.Name", "jupyterhub"),
    "chart": f"{get_config('Chart.Name')}-{get_config('Chart.Version')}",
    "heritage": "jupyterhub",
}

for trait, key in (
    ("consecutive_failure_limit", "hub.consecutiveFailureLimit"),
    ("start_timeout", "singleuser.startTimeout"),
    ("image_pull_policy", "singleuser.image.pullPolicy"),
    ("events_enabled", "singleuser.events"),
    ("extra_labels", "singleuser.extraLabels"),
    ("extra_annotations", "singleuser.extraAnnotations"),
    ("uid", "singleuser.uid"),
    ("fs_gid", "singleuser.fsGid"),
    ("allow_privilege_escalation", "singleuser.allowPrivilegeEscalation"),
    ("service_account", "singleuser.serviceAccountName"),
    ("node_selector", "singleuser.nodeSelector"),
    ("node_affinity_required", "singleuser.extraNodeAffinity.required"),
    ("pod_affinity_required", "singleuser.extraPodAffinity.required"),
    ("pod_affinity_preferred", "singleuser.extraPodAffinity.preferred"),
    ("pod_anti_affinity_required", "singleuser.extraPodAntiAffinity.required"),
    ("pod_anti_affinity_preferred", "singleuser.extraPodAntiAffinity.preferred"),
    ("lifecycle_hooks", "singleuser.lifecycleHooks"),
    ("extra_containers", "singleuser.extraContainers"),
    ("extra_pod_config", "singleuser.extraPodConfig"),
    ("cpu_limit", "singleuser.cpu.limit"),
    ("cpu_guarantee", "singleuser.cpu.guarantee"),
    ("mem_limit", "singleuser.memory.limit"),
    ("mem_guarantee", "singleuser.memory.guarantee"),
    ("extra_resource_limits", "singleuser.extraResource.limits"),
    ("extra_resource_guarantees", "singleuser.extraResource.guarantees"),
    ("default_url", "singleuser.defaultUrl"),
    ("cmd", "singleuser.cmd"),
):
    section = c.Spawner if trait in ("consecutive_failure_limit", "default_url", "cmd") else c.KubeSpawner
    set_config_if_not_none(section, trait, key)

image = get_config("singleuser.image", {})
c.KubeSpawner.image = f"{image['name']}:{image['tag']}"

pull_secrets = [secret if isinstance(secret, str) else secret["name"]
                for secret in (get_config("imagePullSecrets") or []) + (image.get("pullSecrets") or [])]
if pull_secrets:
    c.KubeSpawner.image_pull_secrets = [{"name": name} for name in dict.fromkeys(pull_secrets)]

environment = get_config("singleuser.extraEnv", {})
if isinstance(environment, list):
    environment = {variable["name"]: variable.get("value", variable) for variable in environment}
c.KubeSpawner.environment = environment

# Where they run: on nodes for users, if there are any.
c.KubeSpawner.tolerations = get_config("scheduling.userPods.tolerations", []) + get_config(
    "singleuser.extraTolerations", [])
purpose = {"matchExpressions": [{"key": "hub.jupyter.org/node-purpose", "operator": "In", "values": ["user"]}]}
preferred = list(get_config("singleuser.extraNodeAffinity.preferred", []))
match = get_config("scheduling.userPods.nodeAffinity.matchNodePurpose")
if match == "prefer":
    preferred.append({"weight": 100, "preference": purpose})
elif match == "require":
    c.KubeSpawner.node_affinity_required = get_config("singleuser.extraNodeAffinity.required", []) + [purpose]
c.KubeSpawner.node_affinity_preferred = preferred
if get_config("scheduling.userScheduler.enabled"):
    c.KubeSpawner.scheduler_name = get_name("user-scheduler")
if get_config("scheduling.podPriority.enabled"):
    c.KubeSpawner.priority_class_name = get_name("default-priority")

# Their storage.
storage = get_config("singleuser.storage", {})
volumes, mounts = [], []
if storage.get("type") == "dynamic":
    dynamic = storage.get("dynamic", {})
    c.KubeSpawner.pvc_name_template = dynamic.get("pvcNameTemplate") or "claim-{user_server}"
    c.KubeSpawner.storage_pvc_ensure = True
    c.KubeSpawner.storage_capacity = storage.get("capacity")
    c.KubeSpawner.storage_access_modes = dynamic.get("storageAccessModes") or ["ReadWriteOnce"]
    c.KubeSpawner.storage_extra_labels = storage.get("extraLabels") or {}
    if dynamic.get("storageClass") is not None:
        c.KubeSpawner.storage_class = dynamic["storageClass"]
    name = dynamic.get("volumeNameTemplate") or "volume-{user_server}"
    volumes.append({"name": name, "persistentVolumeClaim": {"claimName": "{pvc_name}"}})
    mounts.append({"name": name, "mountPath": storage["homeMountPath"], "subPath": dynamic.get("subPath")})
elif storage.get("type") == "static":
    static = storage.get("static", {})
    volumes.append({"name": "home", "persistentVolumeClaim": {"claimName": static.get("pvcName")}})
    mounts.append({"name": "home", "mountPath": storage["homeMountPath"], "subPath": static.get("subPath")})
mounts = [{key: value for key, value in mount.items() if value is not None} for mount in mounts]

files = get_config("singleuser.extraFiles", {})
if files:
    items = [dict({"key": key, "path": key}, **({"mode": int(file["mode"])} if file.get("mode") else {}))
             for key, file in files.items()]
    volumes.append({"name": "files", "secret": {"secretName": get_name("singleuser"), "items": items}})
    mounts += [{"name": "files", "mountPath": file["mountPath"], "subPath": key} for key, file in files.items()]

c.KubeSpawner.volumes = volumes + (storage.get("extraVolumes") or [])
c.KubeSpawner.volume_mounts = mounts + (storage.get("extraVolumeMounts") or [])

init_containers = list(get_config("singleuser.initContainers", []))
if get_config("singleuser.cloudMetadata.blockWithIptables", False):
    tools = get_config("singleuser.networkTools.image")
    block = ["-A", "OUTPUT", "-p", "tcp", "-d", get_config("singleuser.cloudMetadata.ip"), "-j", "DROP"]
    init_containers.append({
        "name": "block-cloud-metadata",
        "image": f"{tools['name']}:{tools['tag']}",
        "command": ["iptables", *block],
        "securityContext": {"runAsUser": 0, "privileged": True, "capabilities": {"add": ["NET_ADMIN"]}},
    })
c.KubeSpawner.init_containers = init_containers

profiles = get_config("singleuser.profileList", None)
if profiles:
    c.KubeSpawner.profile_list = profiles

# --- services and roles ----------------------------------------------------------------------------------------------

c.JupyterHub.services = []
c.JupyterHub.load_roles = []

if get_config("cull.enabled", False):
    url = f"http://localhost:8081{BASE_URL.rstrip('/')}/hub/api"
    command = ["python3", "-m", "jupyterhub_idle_culler", f"--url={url}",
               f"--timeout={get_config('cull.timeout')}", f"--cull-every={get_config('cull.every')}",
               f"--concurrency={get_config('cull.concurrency')}", f"--max-age={get_config('cull.maxAge')}",
               f"--cull-admin-users={str(bool(get_config('cull.adminUsers'))).lower()}"]
    scopes = ["list:users", "read:users:activity", "read:servers", "delete:servers"]
    if get_config("cull.users"):
        command.append("--cull-users")
        scopes.append("admin:users")
    if get_config("cull.removeNamedServers"):
        command.append("--remove-named-servers")
    c.JupyterHub.services.append({"name": "jupyterhub-idle-culler", "command": command})
    c.JupyterHub.load_roles.append(
        {"name": "jupyterhub-idle-culler", "scopes": scopes, "services": ["jupyterhub-idle-culler"]})

for key, service in sorted(get_config("hub.services", {}).items()):
    service = {"name": key, **service}
    token = service.pop("apiToken", None) or service.get("api_token")
    service["api_token"] = token or get_secret_value(f"hub.services.{key}.apiToken")
    c.JupyterHub.services.append(service)

for key, role in sorted(get_config("hub.loadRoles", {}).items()):
    c.JupyterHub.load_roles.append({"name": key, **role})

# --- the administrator's own words -----------------------------------------------------------------------------------

for section, traits in get_config("hub.config", {}).items():
    traits = dict(traits or {})
    if section == "JupyterHub":
        for trait in DISALLOWED_IN_CONFIG:
            traits.pop(trait, None)
    elif section == "ConfigurableHTTPProxy":
        traits.pop("auth_token", None)
    elif section == "CryptKeeper":
        traits.pop("keys", None)
    c[section].update(traits)

for path in sorted(glob.glob(os.path.join(FOLDER, "jupyterhub_config.d", "*.py"))):
    load_subconfig(path)

for key, code in sorted(get_config("hub.extraConfig", {}).items()):
    print(f"Loading extra config: {key}")
    exec(compile(code, f"hub.extraConfig.{key}", "exec"))
