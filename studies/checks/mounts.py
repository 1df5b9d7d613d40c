"""Which file system a path lies on, where this machine tells (Linux: /proc/self/mountinfo)."""

from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
NETWORK = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "fuse.ceph", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs", "glusterfs"}
    | {"gpfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"}
)


def network_kind(path: Path) -> str:
    """The kind of network file system that `path` lies on (`nfs4`); empty for a local disk, or where nobody tells."""
    if not MOUNTS.is_file():
        return ""
    kind = kind_in(MOUNTS.read_text(encoding="utf-8", errors="replace"), path.resolve())
    return kind if kind in NETWORK else ""


def kind_in(mountinfo: str, path: Path) -> str:
    """The file system of the innermost mount that holds `path`. The last of several at one place is the one on top."""
    best, kind = -1, ""
    for line in mountinfo.splitlines():
        where, _, what = line.partition(" - ")
        fields = where.split()
        if len(fields) < 5 or not what:
            continue
        mount = Path(fields[4].replace("\\040", " "))
        if (path == mount or mount in path.parents) and len(mount.parts) >= best:
            best, kind = len(mount.parts), what.split()[0]
    return kind
