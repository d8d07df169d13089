"""What the hub's configuration asks the chart for: its values, its secrets, its objects' names."""

import os
from functools import lru_cache

import yaml

FOLDER = os.environ.get("Z2JH_FOLDER", "/usr/local/etc/jupyterhub")


def _merged(base, over):
    """Maps are merged, everything else is replaced."""
    result = dict(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            value = _merged(result[key], value)
        result[key] = value
    return result


@lru_cache
def _values():
    """The chart's values, and over them those of hub.existingSecret."""
    values = {}
    for name in ("secret", "existing-secret"):
        path = os.path.join(FOLDER, name, "values.yaml")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                values = _merged(values, yaml.safe_load(file) or {})
    return values


def get_config(key, default=None):
    """The value at `a.b.c`, or the default where any part of the path is missing."""
    value = _values()
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            return default
        value = value[part]
    return value


def get_secret_value(key, never_explicitly_set=None):
    """A generated or given secret, from the existing Secret first."""
    for name in ("existing-secret", "secret"):
        path = os.path.join(FOLDER, name, key)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                return file.read()
    if never_explicitly_set is not None:
        return never_explicitly_set
    raise KeyError(f"neither the chart's Secret nor hub.existingSecret has {key}")


def get_name(name):
    """An object's name in the cluster (templates/_names.tpl says the same)."""
    override = get_config("fullnameOverride", "")
    if override is None:
        release = get_config("Release.Name")
        app = get_config("nameOverride") or get_config("Chart.Name")
        override = release if "jupyterhub" in release else f"{release}-{app}"
    return f"{override}-{name}" if override else name


def set_config_if_not_none(section, name, key):
    """c.Class.name, where the chart has a value for it."""
    value = get_config(key)
    if value is not None:
        setattr(section, name, value)
