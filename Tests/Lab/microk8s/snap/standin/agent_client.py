"""Talking to a cluster agent."""

import http.client
import json
import ssl


def connect(address: str, timeout: float | None = None) -> http.client.HTTPSConnection:
    # The certificate is that of another cluster's authority: who wants to be sure compares its fingerprint.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(address, context=context, timeout=timeout)


def post(address: str, path: str, body: dict, timeout: float | None = 60) -> tuple[int, dict]:
    connection = connect(address, timeout)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    try:
        return answer.status, json.loads(content)
    except ValueError:
        return answer.status, {"error": content.decode(errors="replace")}
