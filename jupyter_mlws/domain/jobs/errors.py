"""Failures of jobs."""

from __future__ import annotations

from jupyter_mlws.kit.errors import BadInput, Conflict, NotFound, Unavailable


class NotebookNotFound(NotFound):
    """There is no notebook at this path."""

    code = "notebook_not_found"


class NotANotebook(BadInput):
    """The file cannot be read as a notebook: not JSON, a folder, or another format."""

    code = "not_a_notebook"


class NotAnImage(NotFound):
    """This output holds no image that a browser may load."""

    code = "not_an_image"


class KernelMissing(BadInput):
    """The notebook names no kernel, or one that is not installed."""

    code = "kernel_missing"


class UnknownKind(BadInput):
    """No installed package brings this kind of jobs, or it cannot be loaded."""

    code = "unknown_kind"


class UnknownParameter(BadInput):
    """The notebook declares no parameter of this name."""

    code = "unknown_parameter"


class ParameterType(BadInput):
    """A parameter's value has another type than the notebook declares."""

    code = "parameter_type"


class SnapshotUnconfirmed(Conflict):
    """The folder is the home or root folder, or very large: somebody must say that it is meant."""

    code = "snapshot_unconfirmed"


class SourceMissing(NotFound):
    """The folder or file to take a snapshot of is not there."""

    code = "source_missing"


class DataMissing(NotFound):
    """An input of the job is not there, or is a folder where a file is needed."""

    code = "data_missing"


class MirrorMissing(BadInput):
    """Data lies elsewhere, and the mirror map names no folder of this machine for it."""

    code = "mirror_missing"


class NotAJob(NotFound):
    """The run was followed in a notebook or script; it was not submitted."""

    code = "not_a_job"


class NoKernelKept(NotFound):
    """No kernel of this job is kept, or no longer."""

    code = "no_kernel_kept"


class JobStarted(Conflict):
    """The job waits no longer, so it has no place in the queue that could change."""

    code = "job_started"


class IdempotencyConflict(Conflict):
    """This key was used for another job."""

    code = "idempotency_conflict"


class ComputeMissing(BadInput):
    """No compute target has this name."""

    code = "compute_missing"


class SecretsNotTaken(BadInput):
    """Jobs on this compute target cannot be given secrets."""

    code = "secrets_not_taken"


class TooMuchAsked(BadInput):
    """The job asks for more CPUs, memory or GPUs than its target has, or than one user may have of it."""

    code = "too_much_asked"


class BlobMissing(Conflict):
    """The manifest names a file that was not sent."""

    code = "blob_missing"


class FileNotThere(NotFound):
    """The job's working folder has no such file, or is gone."""

    code = "file_not_there"


class JobGone(NotFound):
    """The job was deleted while it was being worked on."""

    code = "job_gone"


class NotNow(Unavailable):
    """The server stops, or has to wait for another; this is done later."""

    code = "not_now"
