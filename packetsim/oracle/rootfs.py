"""Rule: from all that the packages hold to the small root that the guest needs; what is kept is in `recipe`.

What is made here is made by the root's own programs, so that it fits them: its busybox indexes the modules, its
Python compiles its library.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from packetsim.errors import OracleError
from packetsim.oracle import recipe

LOADER = "ld-linux-x86-64.so.2"
LIBRARY = re.compile(rb"[\w.+-]+\.so[.\d]*(?=\0)")  # a library's name, as it stands in a program that needs it


def make_root(root: Path) -> list[str]:
    """Makes the guest's root of unpacked packages; gives the wanted modules that there are none of."""
    kept = {path for pattern in recipe.KEPT for path in _merged(root, pattern) if not _left_out(path)}
    kept |= {path for pattern in recipe.MODULE_FOLDERS for path in _modules(root, pattern)}
    kept |= set(root.glob("lib/modules/*/modules.*"))
    _remove_all_but(root, kept | _libraries(root, kept))
    _add(root)
    _compile_python(root)
    return _index_modules(root)


def _merged(root: Path, pattern: str) -> Iterable[Path]:
    """Debian has merged /bin, /sbin and /lib into /usr, some of its packages have not."""
    yield from root.glob(pattern)
    yield from root.glob(f"usr/{pattern}")


def _left_out(path: Path) -> bool:
    return path.parent.name == "lib-dynload" and path.name.startswith(recipe.LEFT_OUT)


def _modules(root: Path, pattern: str) -> Iterable[Path]:
    for path in root.glob(f"lib/modules/*/kernel/{pattern}"):
        yield from path.rglob("*") if path.is_dir() else (path,)


def _libraries(root: Path, programs: Iterable[Path]) -> set[Path]:
    """The libraries that these programs need, and those that these need, and so on."""
    known = {path.name: path for path in root.glob("**/lib/x86_64-linux-gnu/*.so*")}
    found: set[Path] = set()
    unread = [path for path in programs if not path.is_symlink()]
    while unread:
        needed = {known[name] for name in _needed(unread.pop()) if name in known} - found
        found |= needed
        unread += needed
    return found


def _needed(path: Path) -> list[str]:
    """The names of what this needs: of a link its target's, of a program its libraries', and maybe more."""
    if path.is_symlink():
        return [path.readlink().name]
    content = path.read_bytes() if path.is_file() else b""
    return [name.decode() for name in LIBRARY.findall(content)] if content.startswith(b"\x7fELF") else []


def _remove_all_but(root: Path, kept: set[Path]) -> None:
    for path in sorted(root.rglob("*"), reverse=True):  # what a folder holds, before the folder
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path not in kept:
            path.unlink()


def _add(root: Path) -> None:
    """The first process, what it reads, the folders it mounts, and busybox's many names."""
    for name in ("dev", "etc", "judge", "proc", "run", "sys", "tmp", "sbin", "usr/bin"):
        (root / name).mkdir(parents=True, exist_ok=True)
    shutil.copy(recipe.INIT, root / "init")
    (root / "init").chmod(0o755)
    (root / "etc/modules").write_text("\n".join(recipe.MODULES) + "\n")
    (root / "etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\n")
    (root / "var").mkdir()
    (root / "var/run").symlink_to("/run")
    for applet in recipe.APPLETS:
        (root / "bin" / applet).symlink_to("busybox")
    (root / "bin/sh").unlink(missing_ok=True)
    (root / "bin/sh").symlink_to("dash")
    (root / "sbin/modprobe").symlink_to("/bin/busybox")  # where the kernel looks for it


def _index_modules(root: Path) -> list[str]:
    """`depmod`; gives the wanted modules that are neither a file nor built in."""
    (version,) = (path.name for path in root.glob("lib/modules/*"))
    folder = root / "lib/modules" / version
    _run("module index", root / "bin/busybox", "depmod", "-b", root, version)
    listed = (folder / "modules.dep").read_text() + (folder / "modules.builtin").read_text()
    there = {_module(line.split(":")[0]) for line in listed.splitlines()}
    return [name for name in recipe.MODULES if name not in there]


def _module(path: str) -> str:
    return path.rpartition("/")[2].split(".ko")[0].replace("-", "_")


def _compile_python(root: Path) -> None:
    """The library as byte code alone: the virtual machine's processor is slow at compiling."""
    (loader,) = (path for path in root.rglob(LOADER) if not path.is_symlink())
    (library,) = root.glob("usr/lib/python3.*")
    python = root / "usr/bin" / library.name
    folders = ":".join(str(folder) for folder in root.glob("**/lib/x86_64-linux-gnu"))
    compile_all = ("-I", "-S", "-B", "-m", "compileall", "-b", "-qq", "--invalidation-mode", "unchecked-hash")
    strip = ("-s", root, "-p", "/")
    command = (loader, "--library-path", folders, python, *compile_all, *strip, library)
    _run("Python library", "env", f"PYTHONHOME={root / 'usr'}", *command)
    for source in library.rglob("*.py"):
        if source.with_suffix(".pyc").exists():
            source.unlink()


def _run(what: str, *command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OracleError(f"the virtual machine's {what} cannot be made: {(done.stderr or done.stdout).strip()}")
