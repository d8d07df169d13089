"""Releases as text: tables with Helm's columns, JSON with Helm's field names."""

import datetime
import json

from . import yamltext
from .errors import Failure


def write(form, data, table):
    """`table()` gives the text for people; `data` goes out as JSON or YAML."""
    if form in (None, "table"):
        print(table(), end="")
    elif form == "json":
        print(json.dumps(data, separators=(",", ":"), ensure_ascii=False))
    elif form == "yaml":
        print(yamltext.dump(data), end="")
    else:
        raise Failure(f'invalid argument "{form}" for "-o, --output" flag: invalid format type')


def columns(rows):
    """Columns as wide as their widest cell, a tab between them."""
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    return "".join("\t".join(str(cell).ljust(width) for cell, width in zip(row, widths)) + "\n" for row in rows)


def list_entry(summary):
    return {
        "name": summary["name"], "namespace": summary["namespace"], "revision": str(summary["revision"]),
        "updated": _go_time(summary.get("deployed_at")), "status": summary["status"],
        "chart": _chart(summary), "app_version": summary.get("app_version", ""),
    }


def list_table(entries):
    head = ("NAME", "NAMESPACE", "REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION")
    fields = ("name", "namespace", "revision", "updated", "status", "chart", "app_version")
    return columns([head] + [[entry[field] for field in fields] for entry in entries])


def history_entry(stored):
    summary, info = stored["summary"], stored.get("info") or {}
    return {
        "revision": summary["revision"], "updated": info.get("last_deployed", summary.get("deployed_at", "")),
        "status": summary["status"], "chart": _chart(summary), "app_version": summary.get("app_version", ""),
        "description": info.get("description", ""),
    }


def history_table(entries):
    rows = [("REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION", "DESCRIPTION")]
    for entry in entries:
        rows.append((entry["revision"], _ansi_time(entry["updated"]), entry["status"], entry["chart"],
                     entry["app_version"], entry["description"]))
    return columns(rows)


def release(stored):
    """The stored release as `-o json` prints it, without its chart."""
    summary = stored["summary"]
    result = {"name": summary["name"], "info": stored.get("info") or {"status": summary["status"]}}
    if summary.get("notes"):
        result["info"] = dict(result["info"], notes=summary["notes"])
    if stored.get("config"):
        result["config"] = stored["config"]
    result["manifest"] = summary.get("manifest", "")
    if stored.get("hooks"):
        result["hooks"] = stored["hooks"]
    result["version"] = summary["revision"]
    result["namespace"] = summary["namespace"]
    return result


def release_text(stored, with_manifest=False):
    summary = stored["summary"]
    lines = [f"NAME: {summary['name']}"]
    if summary.get("deployed_at"):
        lines.append(f"LAST DEPLOYED: {_ansi_time(summary['deployed_at'])}")
    lines += [f"NAMESPACE: {summary['namespace']}", f"STATUS: {summary['status']}",
              f"REVISION: {summary['revision']}", "TEST SUITE: None"]
    if with_manifest:
        lines.append("HOOKS:")
        for hook in stored.get("hooks") or []:
            lines.append(f"---\n# Source: {hook.get('path', '')}\n{hook.get('manifest', '')}")
        lines.append(f"MANIFEST:\n{summary.get('manifest', '')}")
    if (summary.get("notes") or "").strip():
        lines.append("NOTES:\n" + summary["notes"].strip())
    return "\n".join(lines) + "\n"


def _chart(summary):
    return f"{summary.get('chart_name', '')}-{summary.get('chart_version', '')}"


def _time(text):
    # Python 3.11 reads at most six digits of a second.
    whole, dot, rest = text.partition(".")
    if dot:
        digits = rest.rstrip("Z")[:6]
        text = f"{whole}.{digits}Z"
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(datetime.timezone.utc)


def _go_time(text):
    return f"{_time(text):%Y-%m-%d %H:%M:%S} +0000 UTC" if text else "-"


def _ansi_time(text):
    if not text:
        return ""
    time = _time(text)
    return f"{time:%a %b} {time.day:2d} {time:%H:%M:%S %Y}"
