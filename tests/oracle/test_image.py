"""Rule: an image is made of packages of our own, by an apt-get and a dpkg-deb that only copy and unpack.

That Debian's own packages make one that boots is the affair of the last test of test_judge.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from packetsim.errors import OracleError
from packetsim.oracle import debian, image, recipe

from .unpacking import unpacked

LIBRARIES = "lib/x86_64-linux-gnu"
MODULES = "lib/modules/9.9-cloud/kernel"
ELF = b"\x7fELF "
DEPMOD = """#!/bin/sh
cd "$3/lib/modules/$4" && find kernel -name '*.ko' | sed 's/$/:/' >modules.dep
"""
LOADER = f"""#!/bin/sh
shift 3
unset PYTHONHOME
exec {sys.executable} "$@"
"""
PACKAGES: dict[str, dict[str, bytes | str]] = {
    "linux-image-9.9_9.9-1_amd64": {
        "boot/vmlinuz-9.9-cloud": b"kernel",
        "boot/System.map-9.9-cloud": b"map",
        "lib/modules/9.9-cloud/modules.builtin": "kernel/net/ip_set_hash_ip.ko\n",
        f"{MODULES}/net/bridge/br_netfilter.ko": ELF,
        f"{MODULES}/drivers/net/veth.ko": ELF,
        f"{MODULES}/net/sctp/sctp-diag.ko": ELF,
        f"{MODULES}/fs/ext4.ko": ELF,
    },
    "busybox-static_1%3a1.35_amd64": {"bin/busybox": DEPMOD, "usr/share/doc/busybox/copyright": b"long"},
    "iproute2_6.1_amd64": {"bin/ip": ELF + b"libfirst.so.1\0", "sbin/ip": "-> /bin/ip", "usr/lib/locale/x": b"x"},
    "libfirst_1_amd64": {
        f"{LIBRARIES}/libfirst.so.1": "-> libfirst.so.1.2",
        f"{LIBRARIES}/libfirst.so.1.2": ELF + b"libsecond.so.2\0",
        f"usr/{LIBRARIES}/libsecond.so.2": ELF + b"libc.so.6\0",
        f"usr/{LIBRARIES}/libnobody.so.3": ELF,
    },
    "libpython3.11_3.11_amd64": {
        f"{LIBRARIES}/ld-linux-x86-64.so.2": LOADER,
        "usr/bin/python3.11": ELF + b"ld-linux-x86-64.so.2\0",
        "usr/lib/python3.11/abc.py": "NAME = 1\n",
        "usr/lib/python3.11/json/decoder.py": "NAME = 2\n",
        "usr/lib/python3.11/test/test_json.py": "NAME = 3\n",
        "usr/lib/python3.11/lib-dynload/_json.so": ELF,
        "usr/lib/python3.11/lib-dynload/_ssl.so": ELF,
    },
}
APT = """#!/bin/sh
for word; do
    case $word in
    Dir::Cache=*) archives=${word#*=}/archives ;;
    Dir::State::lists=*) lists=${word#*=} ;;
    update) echo new >"$lists/names"; exit 0 ;;
    esac
done
[ -f "$lists/names" ] || { echo "W: old lists" >&2; echo "E: Unable to locate package dash" >&2; exit 100; }
for package in "$HERE"/packages/*; do
    tar -cf "$archives/${package##*/}.deb" -C "$package" .
done
"""
DPKG = """#!/bin/sh
mkdir -p "$3" && tar -xf "$2" -C "$3"
"""


def lay(folder: Path, files: Mapping[str, bytes | str]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str) and content.startswith("-> "):
            path.symlink_to(content[3:])
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            path.chmod(0o755 if path.parent.name in ("bin", "x86_64-linux-gnu") else 0o644)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with Debian's tools, up-to-date lists and an empty cache."""
    for name, files in PACKAGES.items():
        lay(tmp_path / "packages" / name, files)
    lay(tmp_path, {"bin/apt-get": APT, "bin/dpkg-deb": DPKG, "lists/names": "all"})
    monkeypatch.setattr(debian, "LISTS", tmp_path / "lists")
    monkeypatch.setenv("HERE", str(tmp_path))
    monkeypatch.setenv("PACKETWALK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    return tmp_path


def quiet(_: str) -> None:
    pass


def test_the_image_holds_what_the_guest_needs_and_no_more(here: Path) -> None:
    made = image.build(quiet)
    assert made.kernel.read_bytes() == b"kernel"
    files = unpacked(gzip.decompress(made.initramfs.read_bytes()))
    assert set(files) >= {
        "bin/ip",
        f"{LIBRARIES}/libfirst.so.1.2",
        f"usr/{LIBRARIES}/libsecond.so.2",
        f"{MODULES}/net/bridge/br_netfilter.ko",
        f"{MODULES}/drivers/net/veth.ko",
        "usr/bin/python3.11",
        "usr/lib/python3.11/abc.pyc",
        "usr/lib/python3.11/json/decoder.pyc",
        "usr/lib/python3.11/lib-dynload/_json.so",
    }
    assert files[f"{LIBRARIES}/libfirst.so.1"] == b"120777 libfirst.so.1.2"
    assert files["sbin/ip"] == b"120777 /bin/ip"
    assert files["bin/sh"] == b"120777 dash"
    assert files["init"] == b"100755 " + recipe.INIT.read_bytes()
    assert files["etc/modules"].decode().split() == list(recipe.MODULES)
    unwanted = ("/doc/", "locale/", "ext4", "boot/", "nobody", "/test/", "_ssl", "abc.py ")
    assert not [name for name in files for word in unwanted if word in f"{name} "]


def test_versions_are_kept_beside_the_image(here: Path) -> None:
    made = image.build(quiet)
    assert made.kernel_version == "9.9-cloud"
    assert made.versions["busybox-static"] == "1:1.35"


def test_a_second_call_makes_nothing_and_says_nothing(here: Path) -> None:
    said: list[str] = []
    first = image.build(said.append)
    assert said
    said.clear()
    assert image.build(said.append) == first
    assert not said


def test_another_recipe_makes_another_image_beside_it(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = image.build(quiet)
    monkeypatch.setattr(recipe, "MODULES", ("veth",))
    with pytest.raises(OracleError, match="make kernel"):
        image.find()
    assert image.build(quiet).kernel.parent != first.kernel.parent
    assert first.kernel.exists()


def test_a_module_that_there_is_not_is_told_by_name(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "MODULES", ("veth", "sctp_diag", "ip_set_hash_ip", "ip_vs_best", "ext4"))
    said: list[str] = []
    image.build(said.append)
    assert said[-1] == "this kernel has no module ip_vs_best, ext4"


def test_old_lists_are_replaced_for_us_alone(here: Path) -> None:
    (here / "lists/names").unlink()
    assert image.build(quiet).kernel.exists()
    assert not list((here / "lists").iterdir())


SPOILT = {
    "apt-get": ("bin/apt-get", "#!/bin/sh\necho 'E: no such host' >&2; exit 100\n", r"downloaded \(no such host\)"),
    "apt-get, silent": ("bin/apt-get", "#!/bin/sh\nexit 7\n", r"downloaded \(status 7\)"),
    "dpkg-deb": ("bin/dpkg-deb", "#!/bin/sh\necho full >&2; exit 1\n", r"busybox.*\.deb cannot be unpacked \(full\)"),
    "busybox": ("packages/busybox-static_1%3a1.35_amd64/bin/busybox", "#!/bin/sh\necho no; exit 1\n", "index.*: no"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_what_goes_wrong_is_told_and_leaves_nothing(here: Path, what: str) -> None:
    path, script, error = SPOILT[what]
    (here / path).write_text(script)
    with pytest.raises(OracleError, match=error):
        image.build(quiet)
    assert not list((here / "cache").iterdir())


def test_packages_without_a_kernel_are_refused(here: Path) -> None:
    shutil.rmtree(here / "packages/linux-image-9.9_9.9-1_amd64")
    with pytest.raises(OracleError, match="hold no kernel: is linux-image-cloud-amd64"):
        image.build(quiet)


def test_another_system_is_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(OracleError, match="apt-get is missing"):
        image.build(quiet)


def test_another_architecture_is_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(OracleError, match="this machine is aarch64"):
        image.build(quiet)


def test_two_that_make_the_same_image_at_once_both_have_it(here: Path) -> None:
    def meanwhile(said: str) -> None:
        if said.startswith("making the root"):
            image.build(quiet)

    assert image.build(meanwhile) == image.find()
    assert len(list((here / "cache").iterdir())) == 1


def test_a_cache_that_cannot_be_written_names_the_cure(here: Path) -> None:
    (here / "cache").write_text("a file")
    with pytest.raises(OracleError, match="PACKETWALK_CACHE names another folder"):
        image.build(quiet)


def test_an_image_that_cannot_be_kept_is_an_error(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no renaming here")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OracleError, match="cannot be made: no renaming here"):
        image.build(quiet)


@pytest.mark.parametrize(
    ("own", "xdg", "expected"),
    [("/own", "/xdg", "/own"), ("", "/xdg", "/xdg/packetwalk"), ("", "", "/home/me/.cache/packetwalk")],
)
def test_where_images_are_kept(own: str, xdg: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PACKETWALK_CACHE": own, "XDG_CACHE_HOME": xdg, "HOME": "/home/me"}.items():
        monkeypatch.setenv(name, value)
    assert image.cache_folder() == Path(expected)


def test_the_command_tells_where_the_image_is(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert image.main() == 0
    told = capsys.readouterr()
    assert told.out.startswith(f"Linux 9.9-cloud, 0 MB in {here / 'cache' / 'kernel-'}")
    assert "unpacking 5 packages" in told.err
    shutil.rmtree(here / "cache")
    (here / "bin/apt-get").write_text("#!/bin/sh\nexit 1\n")
    assert image.main() == 2
    assert capsys.readouterr().err.endswith("see /etc/apt/sources.list\n")


@pytest.mark.skipif(shutil.which("cpio") is None, reason="cpio is not installed")
def test_cpio_reads_the_archive_as_we_do(here: Path, tmp_path: Path) -> None:
    data = gzip.decompress(image.build(quiet).initramfs.read_bytes())
    listed = subprocess.run(["cpio", "-it", "--quiet"], input=data, capture_output=True, check=True)
    assert listed.stdout.decode().splitlines() == list(unpacked(data))
