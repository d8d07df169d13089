#!/usr/bin/python3
"""Tests of the machines: real ones, in a lab of the tests' own beside the clone's. Run as root."""
import atexit
import glob
import hashlib
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
CLONE = HERE.parents[2]
ID = hashlib.sha256(f"{CLONE} machines".encode()).hexdigest()[:8]
STATE = pathlib.Path("/var/lib/jhub-lab") / ID


def lab(*words, status=0, identity=ID, **options):
    """Runs scripts/lab; None as status takes any."""
    result = subprocess.run([CLONE / "scripts/lab", *words], capture_output=True, text=True,
                            env={**os.environ, "JHUB_LAB_ID": identity}, **options)
    if status is not None and result.returncode != status:
        raise AssertionError(f"lab {' '.join(words)}: {result.returncode}, not {status}\n{result.stdout}{result.stderr}")
    return result


def on(machine, script, **options):
    """What a bash script prints on a machine."""
    return lab("exec", machine, "--", "bash", "-c", script, **options).stdout.strip()


def traces(identity=ID):
    """All that a lab has on this computer, by its names."""
    loops = subprocess.run(["losetup", "--list", "--noheadings", "--output", "BACK-FILE"], capture_output=True, text=True)
    commands = []
    for process in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            command = pathlib.Path(process).read_bytes()
        except OSError:
            continue
        if b"systemd-nspawn" in command and identity.encode() in command or f"supervise\0{identity}".encode() in command:
            commands.append(command)
    return (glob.glob(f"/var/lib/jhub-lab/{identity}*") + glob.glob(f"/run/netns/jhub-lab-{identity}*")
            + glob.glob(f"/sys/fs/cgroup/*/lab-{identity}-*") + glob.glob(f"/run/systemd/nspawn/*/jhub-lab-{identity}*")
            + [line for line in loops.stdout.splitlines() if identity in line]
            + [line for line in pathlib.Path("/proc/mounts").read_text().splitlines() if identity in line] + commands)


def number(name):
    """The process that is the machine's PID 1."""
    return int((STATE / "machines" / name / "leader").read_text())


def parent(process):
    return int(pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])


def setUpModule():
    # However it ends, it leaves no lab.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    atexit.register(lab, "down")
    lab("down")
    lab("up", "--workers", "1")


class Commands(unittest.TestCase):
    def test_help_names_each_command(self):
        text = lab("--help").stdout
        for command in ("up", "exec", "copy", "power", "reset", "list", "leaks", "down", "ns"):
            self.assertIn(f"\n  {command} ", text + " ")

    def test_wrong_usage_is_64(self):
        for words in (["fly"], ["up", "--workers", "many"], ["power", "head", "sideways"], ["exec", "head"], ["copy", "x"]):
            self.assertIn("lab: ", lab(*words, status=64).stderr)

    def test_a_machine_that_is_not_there(self):
        self.assertIn("no machine 'worker9'", lab("exec", "worker9", "--", "true", status=1).stderr)

    def test_needs_root_and_says_so(self):
        result = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", "bash", CLONE / "Tests/Lab/lab.sh", "list"],
                                capture_output=True, text=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn("needs root", result.stderr)

    def test_exit_status_and_streams_pass_through(self):
        self.assertEqual(lab("exec", "head", "--", "sh", "-c", "exit 7", status=7).stdout, "")
        self.assertEqual(lab("exec", "head", "--", "tr", "a-z", "A-Z", input="hello\n").stdout, "HELLO\n")
        result = lab("exec", "head", "--", "sh", "-c", "echo out; echo err >&2")
        self.assertEqual((result.stdout, result.stderr), ("out\n", "err\n"))
        self.assertEqual(lab("exec", "head", "--", "printf", "%s|", "a b", "$HOME", "*").stdout, "a b|$HOME|*|")

    def test_a_command_ends_with_its_caller(self):
        with self.assertRaises(subprocess.TimeoutExpired):
            lab("exec", "head", "--", "sleep", "7777", timeout=1)
        time.sleep(0.5)
        self.assertEqual(on("head", "pgrep -f '^sleep 7777' || true"), "")

    def test_up_again_changes_nothing(self):
        before = number("head"), number("worker1")
        lab("up", "--workers", "1")
        lab("up")
        self.assertEqual((number("head"), number("worker1")), before)

    def test_list(self):
        self.assertRegex(lab("list").stdout, r"(?s)^head +10\.99\.0\.2 +on\nworker1 +10\.99\.0\.11 +on\n.*id_ed25519")


class BareMachine(unittest.TestCase):
    def test_systemd_runs_and_nothing_has_failed(self):
        for name in ("head", "worker1"):
            self.assertEqual(on(name, "systemctl is-system-running; hostname; whoami"), f"running\n{name}\nroot")

    def test_each_machine_is_one_of_its_own(self):
        for question in ("cat /etc/machine-id", "cat /etc/ssh/ssh_host_ed25519_key.pub"):
            self.assertNotEqual(on("head", question), on("worker1", question))

    def test_has_what_a_server_has_and_nothing_of_kubernetes(self):
        on("head", "command -v sshd sudo curl openssl python3 iptables ethtool modprobe ps ip")
        for command in ("containerd", "runc", "kubelet", "conntrack", "socat", "nginx", "docker", "helm"):
            self.assertEqual(on("head", f"command -v {command} || true"), "", command)

    def test_root_has_no_password(self):
        self.assertRegex(on("head", "passwd --status root"), "^root L ")

    def test_no_way_out_and_no_names(self):
        self.assertEqual(on("head", "ip route; ip -6 route show default"), "10.99.0.0/24 dev eth0 proto kernel scope link src 10.99.0.2")
        self.assertEqual(on("head", "cat /etc/resolv.conf"), "")
        self.assertNotIn("head", on("head", "cat /etc/hosts"))
        on("head", "getent hosts example.org", status=2)

    def test_limits_of_the_whole_kernel_are_each_machines_own(self):
        limit = "fs.inotify.max_user_instances"
        ours = pathlib.Path("/proc/sys/fs/inotify/max_user_instances").read_text()
        on("head", f"sysctl -q -w {limit}=99")
        self.assertEqual((on("head", f"sysctl -n {limit}"), on("worker1", f"sysctl -n {limit}")), ("99", "128"))
        self.assertEqual(pathlib.Path("/proc/sys/fs/inotify/max_user_instances").read_text(), ours)
        self.assertGreaterEqual(int(ours), 8192)

    def test_containers_can_run(self):
        """What containerd and kubelet need of a machine."""
        self.assertEqual(on("head", "cat /run/lab/cgroup-root"), "/")
        on("head", "mkdir /sys/fs/cgroup/memory/trial && rmdir /sys/fs/cgroup/memory/trial")
        self.assertTrue(on("head", "cat /sys/fs/cgroup/cpuset/cpuset.cpus"))
        on("head", "sysctl -w vm.overcommit_memory=$(sysctl -n vm.overcommit_memory)")
        for folder in ("/var/lib/containerd", "/var/snap", "/srv"):
            on("head", f"""cd $(mktemp -d -p {folder}) && mkdir lower upper work all && echo low >lower/file
                           mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work all
                           echo high >all/file && umount all && grep -q high upper/file && rm -rf "$PWD" """)

    def test_a_machine_sees_its_own_groups_alone(self):
        self.assertEqual(on("head", "cut -d: -f3 /proc/self/cgroup | sort -u"), "/")
        on("worker1", "mkdir /sys/fs/cgroup/pids/mine")
        self.assertTrue(os.path.isdir(f"/sys/fs/cgroup/pids/lab-{ID}-worker1/mine"))
        on("head", "test ! -e /sys/fs/cgroup/pids/mine")
        on("worker1", "rmdir /sys/fs/cgroup/pids/mine")

    def test_the_clock_is_not_the_machines(self):
        self.assertIn("cannot set date", lab("exec", "head", "--", "date", "--set", "now", status=1).stderr)

    def test_a_loop_device_carries_a_file_system(self):
        on("head", """cd $(mktemp -d -p /srv) && truncate -s 20M disk && mkfs.ext4 -q disk && mkdir at
                      mount -o loop disk at && touch at/file && umount at && rm -rf "$PWD" """)

    def test_ssh_with_the_key_of_the_lab(self):
        result = lab("ns", "--", "ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR",
                     "-o", "UserKnownHostsFile=/dev/null", "-i", str(STATE / "id_ed25519"), "root@10.99.0.11", "hostname")
        self.assertEqual(result.stdout, "worker1\n")

    def test_machines_reach_each_other_and_the_clients(self):
        on("head", "ping -c 1 -W 2 10.99.0.11")
        on("worker1", "ping -c 1 -W 2 10.99.0.2 && ping -c 1 -W 2 10.99.0.1")
        self.assertIn("OpenSSH", on("worker1", "exec 3<>/dev/tcp/10.99.0.2/22; head -n 1 <&3"))

    def test_nginx_comes_out_of_the_bundle(self):
        packages = subprocess.run([HERE / "packages"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        lab("reset", "worker1")
        lab("copy", f"{packages}/packages", "worker1:/root/packages")
        on("worker1", "dpkg --install /root/packages/*.deb && systemctl start nginx && curl --fail --silent http://127.0.0.1")


class Copy(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.here = pathlib.Path(folder.name)
        on("head", "rm -rf /root/copy && mkdir /root/copy")

    def test_a_file_with_its_mode(self):
        (self.here / "a file").write_bytes(bytes(range(256)))
        (self.here / "a file").chmod(0o751)
        lab("copy", str(self.here / "a file"), "head:/root/copy")
        lab("copy", str(self.here / "a file"), "head:/root/copy/new/name")
        self.assertEqual(on("head", "cd /root/copy && cmp 'a file' new/name && stat -c '%a %U' new/name"), "751 root")
        lab("copy", "head:/root/copy/new/name", str(self.here))
        self.assertEqual((self.here / "name").read_bytes(), bytes(range(256)))
        lab("copy", "head:/root/copy/a file", str(self.here / "name"))

    def test_a_folder(self):
        (self.here / "folder/sub").mkdir(parents=True)
        (self.here / "folder/sub/file").write_text("one")
        (self.here / "folder/link").symlink_to("sub/file")
        lab("copy", str(self.here / "folder"), "head:/root/copy/other")
        self.assertEqual(on("head", "cd /root/copy/other && cat link && find . | sort | tr '\\n' ' '"), "one. ./link ./sub ./sub/file")
        (self.here / "folder/sub/file").write_text("two")
        lab("copy", str(self.here / "folder"), "head:/root/copy")
        lab("copy", str(self.here / "folder"), "head:/root/copy")
        self.assertEqual(on("head", "cat /root/copy/folder/link; ls -A /root/copy | tr '\\n' ' '"), "twofolder other")
        lab("copy", "head:/root/copy/folder", str(self.here / "back"))
        self.assertEqual((self.here / "back/sub/file").read_text(), "two")

    def test_what_is_not_there(self):
        self.assertIn("there is no /nowhere", lab("copy", "/nowhere", "head:/root/copy", status=1).stderr)
        self.assertIn("there is no /nowhere on head", lab("copy", "head:/nowhere", str(self.here), status=1).stderr)
        self.assertEqual(list(self.here.iterdir()), [])


class Power(unittest.TestCase):
    def test_files_outlive_a_power_cut_and_processes_do_not(self):
        on("head", """mkdir -p /etc/kept /var/snap/kept && echo kept | tee /etc/kept/file /var/snap/kept/file && sync
                      echo 'gone' >/run/gone; ip link add gone type bridge; systemd-run --quiet sleep 8888""")
        lab("power", "head", "kill")
        self.assertRegex(lab("list").stdout, "head .* off\n")
        self.assertIn("is off", lab("exec", "head", "--", "true", status=1).stderr)
        self.assertEqual(subprocess.run(["pgrep", "-f", "^[^ ]*sleep 8888"], capture_output=True).returncode, 1)
        lab("power", "head", "on")
        self.assertEqual(on("head", "cat /etc/kept/file /var/snap/kept/file; systemctl is-system-running"), "kept\nkept\nrunning")
        self.assertEqual(on("head", "ls -d /run/gone /sys/class/net/gone 2>/dev/null || true"), "")

    def test_off_is_a_real_shutdown(self):
        on("head", """printf '[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=true\\nExecStop=touch /root/stopped\\n' \
                      >/etc/systemd/system/late.service && systemctl start late""")
        lab("power", "head", "off")
        lab("power", "head", "off")
        lab("power", "head", "on")
        on("head", "test -e /root/stopped")

    def test_a_machine_reboots_itself(self):
        before = number("head")
        on("head", "systemd-run --quiet sh -c 'sleep 0.3; systemctl reboot'")
        for _ in range(100):
            time.sleep(0.2)
            try:
                if number("head") != before:
                    break
            except FileNotFoundError:
                pass
        self.assertNotEqual(number("head"), before)
        lab("power", "head", "on")
        self.assertEqual(on("head", "systemctl is-system-running; hostname -I"), "running\n10.99.0.2")

    def test_reset_is_bare_again(self):
        identity = on("worker1", "cat /etc/machine-id")
        on("worker1", "touch /etc/mine /root/mine /var/snap/mine /srv/mine /var/lib/containerd/mine; rm -rf /usr/bin/openssl")
        start = time.monotonic()
        lab("reset", "worker1")
        self.assertLess(time.monotonic() - start, 20)
        self.assertEqual(on("worker1", "ls -d /etc/mine /root/mine /var/snap/* /srv/* /var/lib/containerd/* 2>/dev/null || true"), "")
        self.assertEqual(on("worker1", "command -v openssl; systemctl is-system-running"), "/usr/bin/openssl\nrunning")
        self.assertNotEqual(on("worker1", "cat /etc/machine-id"), identity)

    def test_a_small_disk_is_full_soon(self):
        lab("reset", "worker1", "--disk", "64M")
        self.assertIn("No space left", lab("exec", "worker1", "--", "dd", "if=/dev/zero", "of=/var/snap/x", status=1).stderr)
        on("worker1", "echo 'elsewhere is room' >/root/file")
        lab("power", "worker1", "kill")
        lab("power", "worker1", "on")
        on("worker1", "test -s /var/snap/x && ! echo more >/var/snap/y")
        lab("reset", "worker1")
        on("worker1", "head -c 100M /dev/zero >/var/snap/x && rm /var/snap/x")


class Leaks(unittest.TestCase):
    def setUp(self):
        lab("leaks", "--reset")
        self.assertEqual(lab("leaks").stdout, "0 packets to anywhere outside the lab\n")

    def test_counts_what_would_leave_and_lets_nothing_out(self):
        on("head", "ping -c 1 -W 1 8.8.8.8 && exit 1 || true")          # without a route there is no packet
        self.assertTrue(lab("leaks").stdout.startswith("0 packets"))
        on("head", """ip route add default via 10.99.0.1
                      ! ping -c 1 -W 1 8.8.8.8 && ! timeout 0.5 bash -c 'echo >/dev/tcp/1.1.1.1/443'
                      ip route del default""")
        text = lab("leaks").stdout
        self.assertTrue(text.startswith("2 packets"), text)
        self.assertIn("1  8.8.8.8 icmp  from head", text)
        self.assertIn("1  1.1.1.1 tcp 443  from head", text)

    def test_a_route_into_nothing_is_no_hiding_place(self):
        on("head", """ip link add nowhere type bridge && ip link set nowhere up && ip route add default dev nowhere
                      echo >/dev/udp/8.8.8.8/53; ping -c 1 -W 1 10.99.0.11
                      ip link del nowhere""")
        self.assertEqual(lab("leaks").stdout.split("\n")[1].split(), ["1", "8.8.8.8", "udp", "53", "from", "head"])

    def test_other_firewalls_leave_the_count_alone(self):
        on("head", "ip route add default via 10.99.0.1; echo >/dev/udp/1.1.1.1/53; ip route del default")
        on("head", "iptables -F; iptables -t nat -F; iptables -X; iptables-restore </dev/null")
        self.assertTrue(lab("leaks").stdout.startswith("1 packets"))

    def test_the_count_outlives_power_cut_and_reset(self):
        on("worker1", "ip route add default via 10.99.0.1; echo >/dev/udp/1.1.1.1/53")
        lab("power", "worker1", "kill")
        lab("power", "worker1", "on")
        lab("reset", "worker1")
        self.assertIn("1.1.1.1 udp 53  from worker1", lab("leaks").stdout)

    def test_lost_counters_are_no_zero(self):
        subprocess.run(["nsenter", f"--net=/run/netns/jhub-lab-{ID}-head", "nft", "flush", "ruleset"], check=True)
        self.assertIn("not known", lab("leaks", status=1).stderr)
        lab("leaks", "--reset")
        lab("leaks")


class Traces(unittest.TestCase):
    OTHER = hashlib.sha256(f"{CLONE} machines, another".encode()).hexdigest()[:8]

    def tearDown(self):
        lab("down", identity=self.OTHER)

    def test_down_leaves_nothing_and_leaves_others_alone(self):
        before = number("head"), pathlib.Path("/var/lib/jhub-lab/sysctls").read_text()
        lab("up", "--workers", "1", identity=self.OTHER)
        lab("reset", "worker1", "--disk", "64M", identity=self.OTHER)
        self.assertTrue(traces(self.OTHER))
        lab("down", identity=self.OTHER)
        time.sleep(0.5)
        self.assertEqual(traces(self.OTHER), [])
        self.assertEqual((number("head"), pathlib.Path("/var/lib/jhub-lab/sysctls").read_text()), before)
        self.assertEqual(on("head", "systemctl is-system-running"), "running")

    def test_up_clears_what_a_killed_lab_left(self):
        """The supervisor and systemd-nspawn are killed: the machine's processes go on as orphans."""
        on("head", "systemd-run --quiet sleep 9999; echo kept >/root/kept")
        leader = number("head")
        nspawn = parent(leader)
        for process in (parent(nspawn), nspawn):
            os.kill(process, 9)
        time.sleep(0.3)
        os.kill(leader, 0)
        lab("up")
        self.assertNotEqual(number("head"), leader)
        self.assertEqual(subprocess.run(["pgrep", "-f", "^[^ ]*sleep 9999"], capture_output=True).returncode, 1)
        self.assertEqual(on("head", "cat /root/kept; systemctl is-system-running"), "kept\nrunning")

    def test_down_clears_up_even_without_the_state(self):
        lab("up", identity=self.OTHER)
        nspawn = parent(int(pathlib.Path(f"/var/lib/jhub-lab/{self.OTHER}/machines/head/leader").read_text()))
        for process in (parent(nspawn), nspawn):
            os.kill(process, 9)
        subprocess.run(["rm", "-rf", f"/var/lib/jhub-lab/{self.OTHER}"], check=True)
        lab("down", identity=self.OTHER)
        self.assertEqual(traces(self.OTHER), [])


if __name__ == "__main__":
    unittest.main()
