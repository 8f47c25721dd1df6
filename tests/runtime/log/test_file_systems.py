"""A log lies where SQLite's write-ahead log works; where locks do not tell who lives, only leases do (G11)."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from persistasaurus.errors import LogUnavailable
from persistasaurus.sqlite_log.file_systems import locks_tell


def mounts(folder: Path, *places: tuple[str, str]) -> str:
    """A table of mounted file systems, as Linux shows it: each a place and a kind."""
    lines = (f"{n} 1 0:{n} / {place} rw,relatime shared:{n} - {kind} none rw" for n, (place, kind) in enumerate(places))
    table = folder / "mountinfo"
    table.write_text("\n".join(lines) + "\n")
    return str(table)


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3"])
def test_a_log_on_a_network_file_system_is_refused(tmp_path: Path, kind: str) -> None:
    table = mounts(tmp_path, ("/", "ext4"), ("/srv/share", kind))
    with pytest.raises(LogUnavailable, match=rf"/srv/share/log\.db lies on a network file system \({kind}\).*disk of"):
        locks_tell("/srv/share/log.db", table)
    assert locks_tell("/srv/shared/log.db", table)


@pytest.mark.parametrize("kind", ["9p", "virtiofs", "fuse.sshfs"])
def test_where_locks_may_not_be_seen_a_warning_says_what_follows(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "persistasaurus.log"):
        assert not locks_tell("/mnt/host/app/log.db", mounts(tmp_path, ("/", "ext4"), ("/mnt/host", kind)))
    assert kind in caplog.text
    assert "when the lease of their engine is over" in caplog.text


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "overlay", "tmpfs", "zfs"])
def test_on_a_local_file_system_locks_tell(tmp_path: Path, kind: str) -> None:
    assert locks_tell("/srv/log.db", mounts(tmp_path, ("/", kind)))


def test_the_mount_that_covers_the_others_counts(tmp_path: Path) -> None:
    table = mounts(tmp_path, ("/", "nfs"), ("/srv", "nfs"), ("/srv", "ext4"), ("/srv/with\\040space", "9p"))
    assert locks_tell("/srv/log.db", table)
    assert not locks_tell("/srv/with space/log.db", table)


def test_a_system_without_such_a_table_is_taken_to_have_local_disks(tmp_path: Path) -> None:
    assert locks_tell("/srv/log.db", str(tmp_path / "missing"))
