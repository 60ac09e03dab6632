"""Rule: the virtual machine's kernel and first root, made once of Debian's packages and kept in a cache folder.

`python -m packetsim.oracle.image` (`make kernel`) makes them; `find` gives them. An image is made in a folder of its
own and renamed when it is whole; another recipe makes another image beside it. The guest is not in it: it is added at
each start (`archive`), so that a change of the guest needs no new image.
"""

from __future__ import annotations

import gzip
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from packetsim.errors import OracleError
from packetsim.oracle import archive, debian, recipe, rootfs

KERNEL = "vmlinuz"
INITRAMFS = "initramfs.cpio.gz"
VERSIONS = "versions.json"


@dataclass(frozen=True, slots=True)
class Image:
    """`versions`: package -> version. `kernel_version`: as `uname -r` says it."""

    kernel: Path
    initramfs: Path
    kernel_version: str
    versions: dict[str, str]


def cache_folder() -> Path:
    """Where images are kept: $PACKETWALK_CACHE, or `packetwalk` among the user's caches (XDG base directories)."""
    if own := os.environ.get("PACKETWALK_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "packetwalk"


def find() -> Image:
    """The image of today's recipe."""
    folder = _folder()
    try:
        said = json.loads((folder / VERSIONS).read_text())
    except (FileNotFoundError, NotADirectoryError):
        raise OracleError("the virtual machine's kernel is missing: run `make kernel`") from None
    return Image(folder / KERNEL, folder / INITRAMFS, said["kernel"], said["packages"])


def build(say: Callable[[str], None]) -> Image:
    """The image of today's recipe, made where it is missing; `say` is told how it goes."""
    with suppress(OracleError):
        return find()
    if (machine := platform.machine()) != "x86_64":
        raise OracleError(f"the virtual machine is an x86_64 one, made on x86_64 alone; this machine is {machine}")
    try:
        _build(say)
    except OSError as error:
        raise OracleError(f"the image cannot be made: {error}; PACKETWALK_CACHE names another folder for it") from error
    return find()


def _folder() -> Path:
    return cache_folder() / f"kernel-{recipe.digest()}"


def _build(say: Callable[[str], None]) -> None:
    cache_folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_folder(), prefix="making-") as name:
        work, made = Path(name), Path(name) / "image"
        made.mkdir()
        say("downloading Debian's packages")
        packages = debian.download(recipe.PACKAGES, work)
        say(f"unpacking {len(packages)} packages")
        versions = debian.unpack(packages, work / "root")
        kernel_version = _take_kernel(work / "root", made / KERNEL)
        say(f"making the root for Linux {kernel_version}")
        if missing := rootfs.make_root(work / "root"):
            say(f"this kernel has no module {', '.join(missing)}")
        with gzip.GzipFile(made / INITRAMFS, "wb", compresslevel=6, mtime=0) as out:
            archive.write_archive(work / "root", out)
        (made / VERSIONS).write_text(json.dumps({"kernel": kernel_version, "packages": versions}, indent=1) + "\n")
        _keep(made)


def _keep(made: Path) -> None:
    """The folder gets its name, unless somebody else has made the same meanwhile."""
    try:
        made.rename(_folder())
    except OSError:
        if not _folder().exists():
            raise


def _take_kernel(root: Path, to: Path) -> str:
    kernels = sorted(root.glob("boot/vmlinuz-*"))
    if not kernels:
        raise OracleError("Debian's packages hold no kernel: is linux-image-cloud-amd64 among this machine's sources?")
    shutil.move(kernels[-1], to)
    return kernels[-1].name.removeprefix("vmlinuz-")


def main() -> int:
    start = monotonic()
    try:
        image = build(lambda text: print(text, file=sys.stderr))
    except OracleError as error:
        print(error, file=sys.stderr)
        return 2
    size = sum(path.stat().st_size for path in (image.kernel, image.initramfs)) >> 20
    print(f"Linux {image.kernel_version}, {size} MB in {image.kernel.parent}, after {monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
