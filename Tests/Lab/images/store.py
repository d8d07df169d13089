"""A containerd of one's own on this computer: empty, alone in a folder, ended with it. It takes root."""

import subprocess
import time
from pathlib import Path


class Containerd:
    def __init__(self, folder: Path):
        self.folder, self.socket = folder, folder / "containerd.sock"
        self._content = folder / "root/io.containerd.content.v1.content"

    def __enter__(self):
        config = self.folder / "config.toml"
        config.write_text('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
        with open(self.folder / "log", "w") as log:
            self.process = subprocess.Popen(
                ["containerd", "--config", str(config), "--root", str(self.folder / "root"), "--state",
                 str(self.folder / "state"), "--address", str(self.socket)], stdout=log, stderr=log)
        for _ in range(100):
            if self.socket.exists() and self.ctr("version", check=False).returncode == 0:
                return self
            time.sleep(0.1)
        self.__exit__()
        raise OSError(f"containerd did not start: {(self.folder / 'log').read_text()[-300:]}")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def ctr(self, *words, check=True):
        return subprocess.run(["ctr", "-a", str(self.socket), "-n", "k8s.io", *words], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=check)

    def content(self) -> dict[str, int]:
        """Bytes of each blob that is there whole, by its digest."""
        lines = self.ctr("content", "ls", "--quiet").stdout.split()
        return {digest: (self._content / "blobs/sha256" / digest.removeprefix("sha256:")).stat().st_size for digest in lines}

    def begun(self) -> dict[str, int]:
        """Bytes that are there of each blob that was begun, by its digest."""
        found = {}
        for folder in (self._content / "ingest").iterdir():
            try:
                found["sha256:" + (folder / "ref").read_text().split("sha256:")[1][:64]] = (folder / "data").stat().st_size
            except (FileNotFoundError, NotADirectoryError):
                pass  # It was committed or given up meanwhile.
        return found

    def images(self) -> dict[str, bool]:
        """Every name, and whether its image is there whole and unpacked."""
        lines = self.ctr("images", "check").stdout.splitlines()[1:]
        return {line.split()[0]: " complete (" in line and line.split()[-1] == "true" for line in lines}
