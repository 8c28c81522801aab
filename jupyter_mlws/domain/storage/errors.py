"""Failures of storage."""

from __future__ import annotations

from jupyter_mlws.kit.errors import BadInput, Conflict, MlwsError, NotFound, Unavailable


class ArtifactNotFound(NotFound):
    """The run has no file or folder at this path."""

    code = "artifact_not_found"


class SnapshotNotFound(NotFound):
    """There is no snapshot with this id."""

    code = "snapshot_not_found"


class SnapshotFileNotFound(NotFound):
    """The snapshot has no file or folder at this path."""

    code = "snapshot_file_not_found"


class BlobMissing(NotFound):
    """The bytes that a row or a caller names are not in the store."""

    code = "blob_missing"


class BadHash(BadInput):
    """A content hash that is not 64 lower-case hex digits."""

    code = "bad_hash"


class HashMismatch(BadInput):
    """What arrived has another hash than was announced."""

    code = "hash_mismatch"


class BadManifest(BadInput):
    """A list of files that contradicts itself."""

    code = "bad_manifest"


class NotAFile(BadInput):
    """What should be stored is a folder, a link or a device, or cannot be read."""

    code = "not_a_file"


class ArtifactClash(Conflict):
    """A file stands where a folder is needed, or the other way round."""

    code = "artifact_clash"


class FileChanged(Conflict):
    """A file changed while it was being stored."""

    code = "file_changed"


class StorageFull(MlwsError):
    """The disk or the quota of the artifact store is full."""

    status = 507
    code = "storage_full"


class StorageFailed(Unavailable):
    """The disk of the artifact store failed. Nothing was stored, and it may go better the next time."""

    code = "storage_failed"
