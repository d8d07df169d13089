"""A JupyterHub on the loopback for the client's tests: NativeAuthenticator, servers as plain processes."""
# ruff: noqa: F821

import os

port = int(os.environ["HUB_PORT"])
c.JupyterHub.bind_url = f"http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{port + 1}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{port + 2}"
c.JupyterHub.db_url = "sqlite://"
c.JupyterHub.cookie_secret = os.urandom(32)
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}
c.JupyterHub.allow_named_servers = True
c.JupyterHub.authenticator_class = "native"
c.Authenticator.allow_all = True
c.Authenticator.admin_users = {"ana"}
c.NativeAuthenticator.minimum_password_length = 8
c.NativeAuthenticator.check_common_password = False

c.JupyterHub.spawner_class = "simple"
c.Spawner.cmd = ["jupyterhub-singleuser", "--allow-root"]
c.Spawner.default_url = "/lab"
c.SimpleLocalProcessSpawner.home_dir_template = os.path.join(os.getcwd(), "homes", "{username}")


async def wish(spawner):
    """What a profile is to KubeSpawner: the user's choice reaches the server."""
    profile = spawner.user_options.get("profile", "none")
    if profile == "broken":
        raise RuntimeError("no such profile")
    spawner.environment["PROFILE"] = profile


c.Spawner.pre_spawn_hook = wish
