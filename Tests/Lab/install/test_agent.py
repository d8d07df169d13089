#!/usr/bin/python3
"""The agent on an installed machine: without a driver, with a fake one, with users on its GPUs, scraped by Prometheus. Run as root."""
import functools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness  # noqa: E402 (the path comes first)
from harness import ADDRESS, CLONE, DONE, Machine, wait_until  # noqa: E402

head = Machine()
PORT = 9450
LIBRARY = "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1"
SCRIPT = "/usr/lib/x86_64-linux-gnu/nvml.script"
SAMPLES = "/var/lib/jhub-agent/samples"
TWO = ["gpus 2", "driver 550.54.15", "gpu * name NVIDIA H100 80GB HBM3"]
# The statuses of `jhub-agent scan`.
HEALTHY, UNHEALTHY = 0, 12


def setUpModule():
    harness.up()
    head.prepare()
    head.install("--yes", check=DONE)


def ask(path, token=None, port=PORT):
    """(status, body) of the agent's answer, as anybody on the machines' network gets it."""
    words = ["curl", "--silent", "--max-time", "10", "--write-out", "\n%{http_code}", f"http://{ADDRESS}:{port}{path}"]
    if token:
        words += ["--header", f"Authorization: Bearer {token}"]
    body, _, status = harness.outside(*words, check=False).stdout.rpartition("\n")
    return int(status), body


def token():
    return head.read("/etc/jhub/agent/token").strip()


def report():
    return json.loads(ask("/v1/report", token())[1])


def metrics(name, dialect=""):
    """{labels: value} of one family."""
    status, body = ask("/metrics" + dialect)
    if status != 200:
        raise harness.Failed(f"/metrics answers {status}: {body}")
    found = {}
    for line in body.splitlines():
        series, _, value = line.rpartition(" ")
        if series.split("{")[0] == name:
            found[series[len(name):]] = float(value)
    return found


def value(family, **labels):
    """The number of the one series that has these labels; None where there is none."""
    words = [f'{label}="{text}"' for label, text in labels.items()]
    values = [number for series, number in metrics(family).items() if all(word in series for word in words)]
    if len(values) > 1:
        raise harness.Failed(f"{len(values)} series of {family} have {words}")
    return values[0] if values else None


def script(*lines):
    """What the fake driver says from now on; it reads the file anew when another one stands there."""
    head.write(SCRIPT, "\n".join(lines) + "\n")


@functools.cache
def plug_in():
    """The fake driver, with two GPUs."""
    with tempfile.TemporaryDirectory() as folder:
        library = pathlib.Path(folder) / "libnvidia-ml.so.1"
        sources = sorted((CLONE / "Tests/FakeNVML").glob("*.c"))
        harness.call(["cc", "-shared", "-fPIC", "-O1", "-I", CLONE / "Tests/FakeNVML/include", "-o", library, *sources], check=True)
        head.copy(library, LIBRARY)
    script(*TWO)
    wait_until(lambda: value("jhub_node_gpus_visible") == 2, "two GPUs", 60)


def node():
    return head.get("nodes")[0]


def labels():
    return {key.split("/")[1]: text for key, text in node()["metadata"]["labels"].items() if key.startswith("jhub-agent/")}


def condition():
    found = [each for each in node()["status"]["conditions"] if each["type"] == "GPULost"]
    return found[0]["status"] if found else None


def show(property_):
    return head.out(["systemctl", "show", "--value", "--property", property_, "jhub-agent"])


class Driverless(unittest.TestCase):
    """Before anything else, on the machine as it was installed."""

    @classmethod
    def setUpClass(cls):
        head.run(f"rm -f {LIBRARY} {SCRIPT}; systemctl restart jhub-agent")
        wait_until(lambda: ask("/healthz")[0] == 200, "the agent", 30)

    def test_its_state_has_a_name(self):
        self.assertEqual(metrics("jhub_driver_state"), {'{state="no-library"}': 1})
        self.assertEqual(value("jhub_node_gpus"), 0)
        self.assertEqual(labels(), {})
        self.assertIsNone(condition())

    def test_a_scan_finds_nothing_wrong(self):
        result = head.run(["jhub-agent", "scan"], check=False)
        self.assertEqual(result.status, HEALTHY, result)

    def test_the_machine_is_told_of_all_the_same(self):
        self.assertEqual(value("jhub_node_kubelet_up"), 1)
        self.assertEqual(value("jhub_node_containerd_up"), 1)
        self.assertEqual(value("jhub_node_memory_eviction_bytes"), 100 << 20)
        self.assertEqual(value("jhub_node_disk_eviction_bytes", name="imagefs"), 1 << 30)
        kilobytes = int(head.out("awk '/^MemTotal/ {print $2}' /proc/meminfo"))
        self.assertEqual(value("jhub_node_memory_size_bytes"), kilobytes * 1024)


class Unit(unittest.TestCase):
    def test_it_is_hardened(self):
        status = head.read(f"/proc/{show('MainPID')}/status")
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        self.assertEqual(fields["NoNewPrivs"], "1")
        self.assertEqual(int(fields["CapEff"], 16), 1 << 2 | 1 << 34, "CAP_DAC_READ_SEARCH and CAP_SYSLOG")
        self.assertEqual(fields["Seccomp"], "2")
        self.assertEqual(show("WatchdogUSec"), "30s")
        self.assertEqual(show("MemoryMax"), str(128 << 20))
        written = head.run(["nsenter", "-t", show("MainPID"), "-m", "touch", "/etc/x"], check=False)
        self.assertIn("Read-only file system", written.stderr)

    def test_one_that_says_nothing_is_started_anew(self):
        before = show("MainPID")
        head.run(["kill", "-STOP", before])
        wait_until(lambda: show("MainPID") not in (before, "0"), "another process", 90)
        wait_until(lambda: ask("/healthz")[0] == 200, "the agent", 30)

    def test_who_has_no_token_gets_metrics_and_nothing_else(self):
        for path in ("/v1/report", "/v1/inventory", "/v1/health", "/v1/samples"):
            self.assertEqual(ask(path)[0], 401, path)
            self.assertEqual(ask(path, "0" * 64)[0], 401, path)
            self.assertEqual(ask(path, token())[0], 200, path)
        self.assertEqual(head.out("curl -s http://127.0.0.1:9450/healthz"), "ok")
        self.assertEqual(head.out("stat -c '%a %U' /etc/jhub/agent/token /etc/jhub/agent/cluster.json"), "600 root\n600 root")

    def test_its_credential_can_do_just_that(self):
        access = json.loads(head.read("/etc/jhub/agent/cluster.json"))
        head.write("/root/ca.crt", access["authority"], mode="600")

        def may(verb, thing, *words):
            argv = ["/snap/bin/microk8s", "kubectl", "--server", access["server"], "--certificate-authority", "/root/ca.crt",
                    "--token", access["token"], "--kubeconfig", "/dev/null", "auth", "can-i", verb, thing, *words]
            return head.run(argv, check=False).stdout.strip() == "yes"

        self.assertTrue(may("patch", "nodes/head"))
        self.assertTrue(may("patch", "nodes/head", "--subresource=status"))
        for verb, thing in [("patch", "nodes/worker1"), ("patch", "nodes"), ("get", "nodes/head"), ("update", "nodes/head"),
                            ("delete", "nodes/head"), ("list", "pods"), ("create", "pods"), ("get", "secrets"),
                            ("create", "serviceaccounts/token")]:
            self.assertFalse(may(verb, thing, "-n", "jhub-agent"), f"{verb} {thing}")


class Samples(unittest.TestCase):
    def numbers(self, since=0):
        lines = ask(f"/v1/samples?since={since}", token())[1].splitlines()
        return [json.loads(line)["number"] for line in lines]

    def test_they_outlive_restart_upgrade_and_power_cut(self):
        first = wait_until(lambda: self.numbers(), "a sample", 60)
        head.run(["systemctl", "restart", "jhub-agent"])
        wait_until(lambda: ask("/healthz")[0] == 200, "the agent", 30)
        second = self.numbers()
        self.assertEqual(second[:len(first)], first)
        head.run("cp /usr/local/bin/jhub-agent /tmp/old && echo >>/tmp/old && mv /tmp/old /usr/local/bin/jhub-agent")
        head.install("--yes", "--only", "agent", check=DONE)
        third = self.numbers()
        self.assertEqual(third[:len(first)], first)
        head.power("kill")
        # What a cut may leave of a line that was being written.
        head.power("on")
        wait_until(lambda: ask("/healthz")[0] == 200, "the agent", 120)
        head.run(f"systemctl stop jhub-agent; printf 'deadbeef 12 {{\"half' >>$(ls {SAMPLES}/*.samples | tail -1); systemctl start jhub-agent")
        wait_until(lambda: ask("/healthz")[0] == 200, "the agent", 30)
        count = len(self.numbers())
        last = wait_until(lambda: len(self.numbers()) > count and self.numbers(), "one more sample", 60)
        self.assertEqual(last, list(range(first[0], first[0] + len(last))))
        self.assertEqual(self.numbers(since=last[-2]), last[-1:])


class WithDriver(unittest.TestCase):
    """Two GPUs of a fake driver, and a user's server."""

    @classmethod
    def setUpClass(cls):
        head.user("spawn")
        # In a session of its own, or it ends with the cell's kernel.
        head.user("cell", "import subprocess, sys; "
                  "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(98765)'], start_new_session=True)")
        cls.pid = head.out(["pgrep", "--full", "^[^ ]*python[^ ]* -c import time; time.sleep.98765"])
        cls.plugged = TWO + [f"process 0 {cls.pid} {8 << 30}"]
        plug_in()

    def setUp(self):
        script(*self.plugged)
        wait_until(lambda: value("jhub_node_gpus_visible") == 2 and labels().get("gpu-count") == "2", "two GPUs", 60)

    def test_a_notebooks_process_is_its_users(self):
        series = wait_until(lambda: metrics("jhub_gpu_holder_memory_bytes"), "a holder", 30)
        (who, held), = series.items()
        self.assertEqual(held, 8 << 30)
        for word in ('gpu="0"', 'namespace="jhub"', 'pod="jupyter-admin1"', 'user="admin1"'):
            self.assertIn(word, who)
        owner = report()["owners"][0]
        self.assertEqual((owner["pid"], owner["owner"]["user"]), (int(self.pid), "admin1"))
        self.assertRegex(head.run(["jhub-agent", "status"], check=False).stdout, r"admin1 \(jhub/jupyter-admin1\) 8\.0 GiB")
        self.assertIn("user admin1", head.run(["jhub-agent", "why", "0"], check=False).stdout)

    def test_what_programs_get_and_who_watches(self):
        report = json.loads(head.run(["jhub-agent", "status", "--json"], check=False).stdout)
        self.assertEqual([gpu["gpu"]["index"] for gpu in report["snapshot"]["gpus"]], [0, 1])
        health = json.loads(head.run(["jhub-agent", "scan", "--json"], check=False).stdout)
        self.assertEqual((health["verdict"]["state"], len(health["gpus"])), ("healthy", 2))
        # Each picture begins at the top of the screen.
        watched = head.run("timeout 3 jhub-agent status --watch", check=False).stdout
        self.assertGreater(watched.count("\x1b[H"), 1)
        self.assertIn("H100 80GB HBM3", watched.rpartition("\x1b[H")[2])

    def test_the_user_is_known_while_the_api_server_is_down(self):
        head.run(["snap", "stop", "microk8s.daemon-kubelite"])
        try:
            head.run(["systemctl", "restart", "jhub-agent"])
            wait_until(lambda: value("jhub_gpu_holder_memory_bytes", user="admin1") == 8 << 30, "the user", 30)
        finally:
            head.run(["snap", "start", "microk8s.daemon-kubelite"])
            wait_until(lambda: head.kubectl("get", "--raw", "/readyz", check=False).status == 0, "the API server", 120)

    def test_the_node_is_labelled(self):
        # The memory is that of the fake driver's GPUs; after restarts of the driver it takes a moment to be known.
        expected = {"gpu-model": "NVIDIA-H100-80GB-HBM3", "gpu-count": "2", "gpu-mig": "none", "gpu-memory-mib": "81559",
                    "gpu-verdict": "healthy"}
        wait_until(lambda: (labels(), condition()) == (expected, "False"), f"the labels {expected}, and no lost GPU", 60)

    def test_a_lost_gpu_is_told_everywhere_and_so_is_its_return(self):
        def verdict():
            return json.loads(head.read("/run/jhub/health.json"))["verdict"]["state"]

        for lines, up, state, count, lost in [(["gpus 1"], 0, "unhealthy", "1", "True"), ([], 1, "healthy", "2", "False")]:
            told = {"metrics": lambda: value("jhub_gpu_up", gpu="1") == up, "verdict": lambda: verdict() == state,
                    "label": lambda: labels()["gpu-count"] == count, "condition": lambda: condition() == lost}
            script(*self.plugged, *lines)
            changed, times = time.monotonic(), {}

            def watch(what):
                wait_until(told[what], f"{what} to tell of it", 30, pause=0.05)
                times[what] = time.monotonic() - changed

            # Side by side: each look takes its time.
            watchers = [threading.Thread(target=watch, args=[what]) for what in told]
            for each in watchers:
                each.start()
            for each in watchers:
                each.join()
            self.assertEqual(times.keys(), told.keys())
            print(f"GPU 1 {'gone' if lines else 'back'}: told after " +
                  ", ".join(f"{seconds:.1f} s ({what})" for what, seconds in times.items()), file=sys.stderr)
            result = head.run(["jhub-agent", "scan"], check=False)
            self.assertEqual(result.status, HEALTHY, result)  # One look has no memory of what was there before.
            result = head.run(["jhub-agent", "status"], check=False)
            self.assertEqual(result.status, UNHEALTHY if lines else HEALTHY, result)

    def test_a_hung_call_costs_no_scrape(self):
        script(*self.plugged, "hang nvmlDeviceGetPowerUsage 1")
        wait_until(lambda: value("jhub_driver_call_hung") == 1, "the call to count as hung", 30)
        self.assertEqual(ask("/healthz")[0], 200)
        self.assertEqual(value("jhub_gpu_verdict", gpu="1", state="healthy"), 0)
        wait_until(lambda: condition() == "Unknown", "the condition to be unknown", 10)

    def test_a_thousand_restarts_of_the_driver(self):
        before = show("MainPID")
        openings = value("jhub_driver_openings_total")
        # The machine itself exchanges the file, faster than the agent looks: it need not see each, and must outlive all.
        text = "\\n".join(self.plugged)
        head.run(f"for number in $(seq 1000); do printf '{text}\\nepoch %d\\n' $number >{SCRIPT}.new; "
                 f"mv {SCRIPT}.new {SCRIPT}; sleep 0.1; done", timeout=900)
        wait_until(lambda: value("jhub_node_gpus_visible") == 2, "two GPUs", 60)
        self.assertEqual(show("MainPID"), before)
        self.assertGreater(value("jhub_driver_openings_total"), openings)
        kibibytes = int(head.out(f"awk '/^VmRSS/ {{print $2}}' /proc/{before}/status"))
        print(f"after 1000 restarts of the driver: {kibibytes >> 10} MiB", file=sys.stderr)
        self.assertLess(kibibytes, 60 << 10)


class Scraped(unittest.TestCase):
    """By Prometheus, as Debian has it."""

    @classmethod
    def setUpClass(cls):
        plug_in()
        script(*TWO)

    def test_promtool_finds_no_fault(self):
        text = ask("/metrics")[1]
        result = harness.call(["promtool", "check", "metrics"], stdin=text)
        self.assertEqual((result.status, result.stdout, result.stderr), (0, "", ""))

    def test_a_real_prometheus_reads_both_dialects(self):
        config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": [
            {"job_name": "jhub-agent", "static_configs": [{"targets": [f"{ADDRESS}:{PORT}"]}]},
            {"job_name": "dcgm", "params": {"dialect": ["dcgm"]}, "static_configs": [{"targets": [f"{ADDRESS}:{PORT}"]}]}]}
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "prometheus.yml"
            file.write_text(json.dumps(config))
            server = subprocess.Popen(
                [CLONE / "scripts/lab", "ns", "--", "prometheus", f"--config.file={file}", f"--storage.tsdb.path={folder}/data",
                 "--web.listen-address=127.0.0.1:9090"],
                env={**os.environ, "JHUB_LAB_ID": harness.ID}, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                def query(text):
                    result = harness.outside("curl", "--silent", "--get", "http://127.0.0.1:9090/api/v1/query",
                                             "--data-urlencode", f"query={text}", check=False)
                    return json.loads(result.stdout)["data"]["result"] if result.status == 0 else []

                wait_until(lambda: len(query("up == 1")) == 2, "both scrapes", 60)
                self.assertEqual(len(query("jhub_gpu_power_watts")), 2)
                dcgm = query('DCGM_FI_DEV_POWER_USAGE{Hostname="head"}')
                self.assertEqual(len(dcgm), 2)
                self.assertEqual(dcgm[0]["metric"]["modelName"], "NVIDIA H100 80GB HBM3")
            finally:
                server.terminate()
                server.wait(30)


class Withdrawn(unittest.TestCase):
    """Last: it takes the agent away."""

    def test_turned_off_it_goes_and_comes_back_with_its_samples(self):
        before = head.out(f"cat {SAMPLES}/* | wc -c")
        head.install("--yes", "--only", "agent", settings={"ENABLE_AGENT": "false"}, check=DONE)
        self.assertEqual(ask("/healthz")[0], 0)
        for path in ("/usr/local/bin/jhub-agent", "/etc/systemd/system/jhub-agent.service", "/etc/jhub/agent/token"):
            self.assertFalse(head.exists(path), path)
        self.assertIsNone(head.get("serviceaccounts", "head", "jhub-agent"))
        self.assertGreaterEqual(int(head.out(f"cat {SAMPLES}/* | wc -c")), int(before))
        head.install("--yes", "--only", "agent", check=DONE)
        self.assertEqual(ask("/healthz")[0], 200)
        plan = head.install("plan", "--check", "--only", "agent")
        self.assertEqual(plan.status, DONE, plan)


if __name__ == "__main__":
    unittest.main()
