"""Container images as archives, written byte for byte the same for the same input.

A layer is a tar on disk, an image is a list of layers and a config, an archive holds images in one of three forms:

docker    what `docker save` wrote until Docker 24: <id>/layer.tar, a layer met twice is a symbolic link to its first place
docker25  what `docker save` writes since Docker 25: an OCI layout of uncompressed layers, and manifest.json beside it
oci       an OCI layout alone, as `ctr images export` and `skopeo copy … oci-archive:` leave it

Only the standard library and the commands gzip and zstd are used: the archives are to test another reader, so the
writer shares nothing with it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import json
import os
import stat
import subprocess
import tarfile
from pathlib import Path
from typing import Callable, Iterable, Iterator

# One date for every file and every config: the build's own clock must not reach a digest.
CREATED = "2024-10-01T00:00:00Z"
CREATED_SECONDS = 1727740800

FORMS = ("docker", "docker25", "oci")
COMPRESSIONS = ("none", "gzip", "zstd")

OCI = "application/vnd.oci.image."
SUFFIX = {"none": "", "gzip": "+gzip", "zstd": "+zstd"}
# -n keeps name and time out of the gzip header; zstd's output depends on neither.
FILTER = {"gzip": ["gzip", "-n", "-6"], "zstd": ["zstd", "-q", "-3", "-T1"]}


@dataclasses.dataclass(frozen=True)
class Link:
    """A symbolic link among the files of a layer."""

    target: str


@dataclasses.dataclass(frozen=True)
class File:
    """A file of a layer with more to say than its content."""

    content: bytes
    mode: int = 0o644
    uid: int = 0
    gid: int = 0


@dataclasses.dataclass(frozen=True)
class Folder:
    """A folder of a layer whose mode or owner is not the usual one."""

    mode: int = 0o755
    uid: int = 0
    gid: int = 0


@dataclasses.dataclass(frozen=True)
class Blob:
    """Bytes with a name: in memory when small, on disk when large."""

    digest: str
    size: int
    content: bytes | None = None
    path: Path | None = None

    @property
    def hex(self) -> str:
        return self.digest.removeprefix("sha256:")

    @staticmethod
    def of(content: bytes) -> Blob:
        return Blob("sha256:" + hashlib.sha256(content).hexdigest(), len(content), content=content)

    @staticmethod
    def at(path: Path) -> Blob:
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return Blob("sha256:" + digest.hexdigest(), path.stat().st_size, path=path)

    def open(self) -> io.BufferedIOBase:
        return io.BytesIO(self.content) if self.path is None else open(self.path, "rb")


@dataclasses.dataclass
class Layer:
    """One layer: an uncompressed tar, and its compressed forms once somebody asked for them."""

    tar: Blob
    compressed: dict[str, Blob] = dataclasses.field(default_factory=dict)

    def blob(self, compression: str) -> Blob:
        if compression == "none":
            return self.tar
        if compression not in self.compressed:
            if self.tar.path is None:
                content = subprocess.run(FILTER[compression], input=self.tar.content, stdout=subprocess.PIPE, check=True)
                self.compressed[compression] = Blob.of(content.stdout)
            else:
                path = self.tar.path.with_name(self.tar.path.name + "." + compression)
                with open(self.tar.path, "rb") as source, open(path, "wb") as target:
                    subprocess.run(FILTER[compression], stdin=source, stdout=target, check=True)
                self.compressed[compression] = Blob.at(path)
        return self.compressed[compression]


@dataclasses.dataclass
class Image:
    """An image under all its names (`RepoTags`, in the form that the archive is to show)."""

    names: list[str]
    layers: list[Layer]
    config: dict = dataclasses.field(default_factory=dict)
    architecture: str = "amd64"
    # Platforms that the image's index names although their manifests are not in the archive, as in every export of
    # one platform of a multi-platform image.
    absent: tuple[str, ...] = ()

    def config_blob(self) -> Blob:
        return Blob.of(encode({
            "architecture": self.architecture,
            "config": self.config,
            "created": CREATED,
            "history": [{"created": CREATED, "created_by": "layer %d" % number} for number, _ in enumerate(self.layers)],
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [layer.tar.digest for layer in self.layers]},
        }))


def encode(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def full_name(name: str) -> str:
    """The name as containerd keeps it: with its registry, `docker.io` where none is said."""
    first, slash, _ = name.partition("/")
    if not slash:
        return "docker.io/library/" + name
    if "." in first or ":" in first or first == "localhost":
        return name
    return "docker.io/" + name


# -- Layers

def layer_of_files(files: dict[str, bytes | str | File | Link | Folder], path: Path | None = None) -> Layer:
    """A layer of what stands in `files`; folders on the way are made."""
    entries: dict[str, tarfile.TarInfo] = {}
    contents: dict[str, bytes] = {}
    for name, what in files.items():
        name = name.strip("/")
        for parent in reversed(Path(name).parents):
            if str(parent) != ".":
                entries.setdefault(str(parent), _entry(str(parent), tarfile.DIRTYPE, 0o755))
        if isinstance(what, Link):
            entries[name] = _entry(name, tarfile.SYMTYPE, 0o777)
            entries[name].linkname = what.target
        elif isinstance(what, Folder):
            entries[name] = _entry(name, tarfile.DIRTYPE, what.mode, what.uid, what.gid)
        else:
            file = what if isinstance(what, File) else File(what.encode() if isinstance(what, str) else what)
            entries[name] = _entry(name, tarfile.REGTYPE, file.mode, file.uid, file.gid)
            entries[name].size = len(file.content)
            contents[name] = file.content
    with _layer_tar(path) as (tar, finish):
        for name in sorted(entries):
            tar.addfile(entries[name], io.BytesIO(contents.get(name, b"")))
    return finish()


def layer_of_stream(files: Iterable[tuple[str, bytes]], path: Path) -> Layer:
    """A layer of files as they come, for one that is larger than the memory."""
    with _layer_tar(path) as (tar, finish):
        for name, content in files:
            entry = _entry(name, tarfile.REGTYPE, 0o644)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return finish()


def layer_of_tree(root: Path, path: Path, leave_out: Callable[[str], bool] = lambda name: False) -> Layer:
    """A layer of a folder, which may be the upper folder of an overlay: what that removed becomes a whiteout.

    `leave_out` says of a path in the folder whether to pass over it, with all that is below it.
    """
    seen: dict[tuple[int, int], str] = {}
    with _layer_tar(path) as (tar, finish):
        for name, status in _walk(root, leave_out):
            file = root / name
            folder = os.path.dirname(name)
            if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
                tar.addfile(_entry(os.path.join(folder, ".wh." + os.path.basename(name)), tarfile.REGTYPE, 0o644))
                continue
            if stat.S_ISSOCK(status.st_mode) or stat.S_ISBLK(status.st_mode) or stat.S_ISCHR(status.st_mode):
                continue
            entry = _entry(name, tarfile.REGTYPE, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
            if stat.S_ISDIR(status.st_mode):
                entry.type = tarfile.DIRTYPE
                tar.addfile(entry)
                if _opaque(file):
                    tar.addfile(_entry(name + "/.wh..wh..opq", tarfile.REGTYPE, 0o644))
            elif stat.S_ISLNK(status.st_mode):
                entry.type, entry.linkname = tarfile.SYMTYPE, os.readlink(file)
                tar.addfile(entry)
            elif stat.S_ISFIFO(status.st_mode):
                entry.type = tarfile.FIFOTYPE
                tar.addfile(entry)
            elif (first := seen.setdefault((status.st_dev, status.st_ino), name)) != name:
                entry.type, entry.linkname = tarfile.LNKTYPE, first
                tar.addfile(entry)
            else:
                entry.size = status.st_size
                with open(file, "rb") as content:
                    tar.addfile(entry, content)
    return finish()


def _walk(root: Path, leave_out: Callable[[str], bool]) -> Iterator[tuple[str, os.stat_result]]:
    def below(folder: str) -> Iterator[tuple[str, os.stat_result]]:
        with os.scandir(root / folder) as found:
            names = sorted(entry.name for entry in found)
        for name in names:
            path = os.path.join(folder, name)
            if leave_out(path):
                continue
            status = os.lstat(root / path)
            yield path, status
            if stat.S_ISDIR(status.st_mode):
                yield from below(path)
    return below("")


def _opaque(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return os.getxattr(folder, "trusted.overlay.opaque") == b"y"
    return False


def _entry(name: str, kind: bytes, mode: int, uid: int = 0, gid: int = 0) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.uid, entry.gid, entry.mtime = kind, mode, uid, gid, CREATED_SECONDS
    return entry


@contextlib.contextmanager
def _layer_tar(path: Path | None):
    buffer = io.BytesIO()
    with contextlib.ExitStack() as stack:
        target = buffer if path is None else stack.enter_context(open(path, "wb"))
        # pax headers appear only where the plain header has no room, as Go's writer does it.
        with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as tar:
            yield tar, lambda: Layer(Blob.of(buffer.getvalue()) if path is None else Blob.at(path))


# -- Archives

def write(path: Path, images: Iterable[Image], form: str = "oci", compression: str = "none",
          layer_compression: str = "none") -> None:
    """Writes `images` as one archive; it stands under its name only when it is whole."""
    images = list(images)
    if form not in FORMS or compression not in COMPRESSIONS or layer_compression not in COMPRESSIONS:
        raise ValueError(f"no such archive: {form}, {compression}, {layer_compression}")
    if form != "oci" and layer_compression != "none":
        raise ValueError(f"layers of a {form} archive are not compressed")
    contents = {"docker": _docker, "docker25": _docker25, "oci": _oci}[form](images, layer_compression)
    partial = path.with_name(path.name + ".partial")
    with _compressed(partial, compression) as stream:
        with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            _add(tar, contents)
    os.replace(partial, path)


@contextlib.contextmanager
def _compressed(path: Path, compression: str):
    with open(path, "wb") as file:
        if compression == "none":
            yield file
            return
        with subprocess.Popen(FILTER[compression], stdin=subprocess.PIPE, stdout=file) as filter:
            yield filter.stdin
        if filter.returncode != 0:
            raise OSError(f"{FILTER[compression][0]} ended with {filter.returncode}")


def _add(tar: tarfile.TarFile, contents: dict[str, Blob | Link]) -> None:
    folders = {str(parent) for name in contents for parent in Path(name).parents} - {"."}
    # Sorted, as both `docker save` and `ctr images export` do it: what names the blobs comes after them.
    for name in sorted(contents.keys() | folders):
        what = contents.get(name)
        if what is None:
            tar.addfile(_entry(name + "/", tarfile.DIRTYPE, 0o755))
        elif isinstance(what, Link):
            entry = _entry(name, tarfile.SYMTYPE, 0o777)
            entry.linkname = what.target
            tar.addfile(entry)
        else:
            entry = _entry(name, tarfile.REGTYPE, 0o644)
            entry.size = what.size
            with what.open() as content:
                tar.addfile(entry, content)


def _docker(images: list[Image], _: str) -> dict[str, Blob | Link]:
    contents: dict[str, Blob | Link] = {}
    manifest, repositories = [], {}
    first: dict[str, str] = {}
    for image in images:
        config = image.config_blob()
        contents[config.hex + ".json"] = config
        parent, layers = "", []
        for number, layer in enumerate(image.layers):
            # Docker's ids of layers chain, and the last one depends on the config: a layer shared by two images
            # can have two of them, and then the second is a link.
            last = number == len(image.layers) - 1
            seed = [parent, layer.tar.digest, config.digest if last else ""]
            identifier = hashlib.sha256(encode(seed)).hexdigest()
            contents[identifier + "/VERSION"] = Blob.of(b"1.0")
            contents[identifier + "/json"] = Blob.of(encode(
                {"id": identifier, "created": CREATED, "os": "linux"} | ({"parent": parent} if parent else {})))
            place = identifier + "/layer.tar"
            owner = first.setdefault(layer.tar.digest, identifier)
            contents[place] = layer.tar if owner == identifier else Link("../" + owner + "/layer.tar")
            layers.append(place)
            parent = identifier
        manifest.append({"Config": config.hex + ".json", "RepoTags": image.names or None, "Layers": layers})
        for name in image.names:
            repository, _, tag = name.rpartition(":")
            repositories.setdefault(repository, {})[tag] = parent
    contents["manifest.json"] = Blob.of(encode(manifest))
    contents["repositories"] = Blob.of(encode(repositories))
    # A link has to come after the place that it points to for a reader that goes through once; ids are hashes, so
    # the order of names does not see to it. Docker itself does not either, hence the links are kept as they fall.
    return contents


def _docker25(images: list[Image], _: str) -> dict[str, Blob | Link]:
    contents = _oci(images, "none")
    manifest = []
    for image in images:
        config = image.config_blob()
        manifest.append({
            "Config": _place(config),
            "RepoTags": image.names or None,
            "Layers": [_place(layer.tar) for layer in image.layers],
            "LayerSources": {layer.tar.digest: _descriptor(OCI + "layer.v1.tar", layer.tar) for layer in image.layers},
        })
    contents["manifest.json"] = Blob.of(encode(manifest))
    return contents


def _oci(images: list[Image], layer_compression: str) -> dict[str, Blob | Link]:
    contents: dict[str, Blob | Link] = {"oci-layout": Blob.of(b'{"imageLayoutVersion":"1.0.0"}')}
    top = []

    def keep(media_type: str, blob: Blob) -> dict:
        contents[_place(blob)] = blob
        return _descriptor(media_type, blob)

    for image in images:
        layer_type = OCI + "layer.v1.tar" + SUFFIX[layer_compression]
        manifest = Blob.of(encode({
            "schemaVersion": 2,
            "mediaType": OCI + "manifest.v1+json",
            "config": keep(OCI + "config.v1+json", image.config_blob()),
            "layers": [keep(layer_type, layer.blob(layer_compression)) for layer in image.layers],
        }))
        target = keep(OCI + "manifest.v1+json", manifest)
        if image.absent:
            platforms = [target | {"platform": {"architecture": image.architecture, "os": "linux"}}]
            for architecture in image.absent:
                missing = _descriptor(OCI + "manifest.v1+json", Blob.of(manifest.content + architecture.encode()))
                platforms.append(missing | {"platform": {"architecture": architecture, "os": "linux"}})
            target = keep(OCI + "index.v1+json", Blob.of(encode(
                {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": platforms})))
        for name in image.names:
            top.append(target | {"annotations": {
                "io.containerd.image.name": full_name(name),
                "org.opencontainers.image.ref.name": name.rpartition(":")[2],
            }})
        if not image.names:
            top.append(target)
    contents["index.json"] = Blob.of(encode(
        {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": top}))
    return contents


def _place(blob: Blob) -> str:
    return "blobs/sha256/" + blob.hex


def _descriptor(media_type: str, blob: Blob) -> dict:
    return {"mediaType": media_type, "digest": blob.digest, "size": blob.size}
