#!/usr/bin/python3
"""Nginx with TLS in front of the hub: what a user does through it, its certificates, and its neighbours. Run as root."""
import functools
import os
import pathlib
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness  # noqa: E402 (the path comes first)
from harness import ADDRESS, CONFIG, DONE, FAILED, LAB, SETTLED, Machine, call, difference, outside  # noqa: E402

head = Machine()
SITE = "/etc/nginx/conf.d/jhub.conf"
CERTIFICATE = "/etc/nginx/jhub/cert.pem"
OTHER_SITE = "server { listen 8099; location / { default_type text/plain; return 200 'the other site'; } }\n"
work = pathlib.Path()


def configure(**keys):
    lines = "".join(f"{key}={value}\n" for key, value in keys.items())
    head.write(CONFIG, (LAB / "jhub.env").read_text() + lines)


def serve(check=DONE, **keys):
    """Turns Nginx on with these keys. The hub itself is not what changes, so that the other stages need not be asked."""
    configure(ENABLE_NGINX_PROXY="true", **keys)
    return head.install("--yes", "--only", "access", check=check)


def curl(url, *options, authority=None):
    """(status, headers in small letters, body) as a browser on the network gets them."""
    words = ["--cacert", authority] if authority else []
    answer = outside("curl", "-sSi", "--max-time", "20", *words, *options, url).stdout
    top, _, body = answer.replace("\r", "").partition("\n\n")
    headers = dict(line.split(": ", 1) for line in top.splitlines()[1:] if ": " in line)
    return int(top.split()[1]), {key.lower(): value for key, value in headers.items()}, body


def served():
    """The certificate that lies on the machine, in a file here."""
    file = work / "served.pem"
    file.unlink(missing_ok=True)
    head.fetch(CERTIFICATE, file)
    return file


def other_site():
    return curl(f"http://{ADDRESS}:8099/")[2]


@functools.cache
def first():
    """Nginx is asked for the first time: (was it there before?, the result)"""
    there = head.exists("/usr/sbin/nginx")
    configure(ENABLE_NGINX_PROXY="true")
    return there, head.install("--yes")


def setUpModule():
    global work
    harness.up()
    head.prepare()
    work = pathlib.Path(tempfile.mkdtemp())
    head.install("--yes", check=DONE)
    there, result = first()
    if result.status != DONE:
        raise harness.Failed(f"with Nginx: {result}")
    head.write("/etc/nginx/conf.d/other.conf", OTHER_SITE)
    head.run("systemctl reload nginx")
    harness.wait_until(other_site, "the other site", 10)


def tearDownModule():
    shutil.rmtree(work, ignore_errors=True)


class Nginx(unittest.TestCase):
    def tearDown(self):
        """Whatever was done to the hub's site, its neighbour is served as before."""
        self.assertEqual(other_site(), "the other site")
        self.assertEqual(head.read("/etc/nginx/conf.d/other.conf"), OTHER_SITE)

    def test_it_comes_from_the_bundle(self):
        there, result = first()
        if not harness.KEEP:
            self.assertFalse(there)
            self.assertIn("run apt-get install", result.stdout)
        self.assertIn(f"JupyterHub: https://{ADDRESS}\n", result.stdout)
        count, where = harness.leaks()
        self.assertEqual(count, 0, where)

    def test_a_user_works_through_it(self):
        serve()
        said = head.user("demo", "--megabytes", "20", url=f"https://{ADDRESS}", options=["--cacert", served()]).stdout
        self.assertRegex(said, r"cell +42 from jupyter-admin1")
        self.assertIn("20 MiB there and back", said)
        self.assertEqual(head.plan(), SETTLED)

    def test_the_certificate_names_all_names_and_the_address(self):
        result = serve(NGINX_PROXY_SERVER_NAME='"hub.example.org jupyter.example.org"')
        self.assertIn("JupyterHub: https://hub.example.org\nJupyterHub: https://jupyter.example.org\n", result.stdout)
        text = call(["openssl", "x509", "-noout", "-ext", "subjectAltName", "-in", served()], check=True).stdout
        self.assertEqual(text.splitlines()[1].split(", "),
                         ["    DNS:hub.example.org", "DNS:jupyter.example.org", f"IP Address:{ADDRESS}"])
        for name in ("hub.example.org", "jupyter.example.org"):
            status, _, body = curl(f"https://{name}/hub/login", "--resolve", f"{name}:443:{ADDRESS}", authority=served())
            self.assertEqual((status, 'name="password"' in body), (200, True))
        self.assertEqual(curl(f"https://{ADDRESS}/hub/login", authority=served())[0], 200)
        key = head.out(["stat", "-c", "%U:%G %a", "/etc/nginx/jhub/key.pem"])
        self.assertEqual(key, "root:root 600")

    def test_plain_http_leads_to_https(self):
        serve()
        status, headers, _ = curl(f"http://{ADDRESS}/hub/login?next=%2Fhub%2Fhome")
        self.assertEqual((status, headers["location"]), (301, f"https://{ADDRESS}/hub/login?next=%2Fhub%2Fhome"))

    def test_plain_http_may_serve_the_hub(self):
        serve(NGINX_PROXY_HTTP_MODE="proxy")
        self.assertEqual(curl(f"http://{ADDRESS}/hub/login")[0], 200)
        self.assertIn("admin1", head.user("login", url=f"http://{ADDRESS}").stdout)
        self.assertEqual(curl(f"https://{ADDRESS}/hub/login", authority=served())[0], 200)
        # The same ports, another text: only a reload makes the difference.
        serve()
        self.assertEqual(curl(f"http://{ADDRESS}/hub/login")[0], 301)

    def test_other_ports(self):
        result = serve(NGINX_PROXY_HTTP_PORT=8080, NGINX_PROXY_HTTPS_PORT=8443)
        self.assertIn(f"JupyterHub: https://{ADDRESS}:8443\n", result.stdout)
        status, headers, _ = curl(f"http://{ADDRESS}:8080/hub/login")
        self.assertEqual((status, headers["location"]), (301, f"https://{ADDRESS}:8443/hub/login"))
        url, trust = f"https://{ADDRESS}:8443", ["--cacert", served()]
        head.user("spawn", url=url, options=trust)
        # Over a WebSocket, whose origin has the port in it.
        self.assertEqual(head.user("cell", "print(6 * 7)", url=url, options=trust).stdout, "42\n")
        self.assertNotEqual(outside("curl", "-sk", "--max-time", "5", f"https://{ADDRESS}/", check=False).status, 0)

    def test_a_certificate_of_the_sites_own(self):
        new = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "90"]
        call([*new, "-x509", "-subj", "/CN=The site's authority", "-keyout", work / "ca.key", "-out", work / "ca.pem"], check=True)
        serials = []
        for number in ("1001", "1002"):
            call([*new, "-subj", "/CN=hub.example.org", "-keyout", work / "own.key", "-out", work / "own.csr"], check=True)
            (work / "san").write_text(f"subjectAltName=DNS:hub.example.org,IP:{ADDRESS}\n")
            call(["openssl", "x509", "-req", "-in", work / "own.csr", "-CA", work / "ca.pem", "-CAkey", work / "ca.key", "-days",
                  "60", "-set_serial", number, "-extfile", work / "san", "-out", work / "own.pem"], check=True)
            (work / "own.pem").write_text((work / "own.pem").read_text() + (work / "ca.pem").read_text())
            for file in ("own.pem", "own.key"):
                head.copy(work / file, f"/root/{file}")
            head.run("chmod 600 /root/own.key")
            # The second time it is renewed under the same authority; Nginx must serve the new one.
            serve(NGINX_PROXY_CERT_FILE="/root/own.pem", NGINX_PROXY_KEY_FILE="/root/own.key")
            self.assertEqual(curl(f"https://{ADDRESS}/hub/login", authority=work / "ca.pem")[0], 200)
            shown = outside("openssl", "s_client", "-connect", f"{ADDRESS}:443", check=False).stdout
            serials.append(call(["openssl", "x509", "-noout", "-serial"], stdin=shown, check=True).stdout.strip())
        self.assertEqual(serials, ["serial=03E9", "serial=03EA"])
        self.assertIn("admin1", head.user("login", url=f"https://{ADDRESS}", options=["--cacert", work / "ca.pem"]).stdout)
        self.assertEqual(head.plan(), SETTLED)

    def test_what_nginx_refuses_changes_nothing(self):
        serve()
        old = head.read(SITE)
        head.write("/etc/nginx/conf.d/zz-broken.conf", "server { listen 8100; no_such_word on; }\n")
        try:
            result = serve(check=FAILED, NGINX_PROXY_HTTPS_PORT=9443)
            self.assertIn("no_such_word", result.stderr)
            self.assertNotIn("Fatal", result.stderr)
            self.assertEqual(head.read(SITE), old)
            self.assertEqual(head.out("systemctl is-active nginx"), "active")
            self.assertEqual(curl(f"https://{ADDRESS}/hub/login", authority=served())[0], 200)
        finally:
            head.run("rm /etc/nginx/conf.d/zz-broken.conf")
        serve(NGINX_PROXY_HTTPS_PORT=9443)
        self.assertEqual(curl(f"https://{ADDRESS}:9443/hub/login", authority=served())[0], 200)

    def test_off_takes_away_our_file_alone(self):
        serve()
        configure(ENABLE_NGINX_PROXY="false")
        before = head.files()
        self.assertIn(SITE, before)
        steps = [f"write {SITE} (0 bytes, 0644) (ENABLE_NGINX_PROXY is off)",
                 "run systemctl try-reload-or-restart nginx (it must not serve the hub any more)",
                 f"remove {SITE} (ENABLE_NGINX_PROXY is off)"]
        self.assertEqual(head.plan()["access"], steps)
        # As a run leaves it that is killed before Nginx has been told.
        head.write(SITE, "")
        self.assertEqual(head.plan()["access"], steps[1:])
        head.install("--yes", check=DONE)
        # The record tells of it, and keeps what stood there.
        changed = [line for line in difference(before, head.files()) if "/var/lib/jhub/" not in line]
        self.assertEqual(changed, [f"gone: {SITE}"])
        self.assertNotEqual(outside("curl", "-sk", "--max-time", "5", f"https://{ADDRESS}/", check=False).status, 0)
        self.assertEqual(head.out("systemctl is-active nginx"), "active")
        self.assertEqual(head.plan(), SETTLED)


if __name__ == "__main__":
    unittest.main()
