"""Wire types of jobs. The door of this slice to them."""

from __future__ import annotations

from jupyter_mlws.domain.jobs.schemas.job_files import (
    JobFile,
    JobFileSchema,
    JobFileSource,
    JobFileSubmission,
    JobFileSubmit,
    JobFileText,
    JobFileValidation,
    JobFileWarning,
)  # fmt: skip
from jupyter_mlws.domain.jobs.schemas.jobs import (
    Attempt,
    Job,
    JobList,
    JobUsage,
    KeptKernel,
)  # fmt: skip
from jupyter_mlws.domain.jobs.schemas.logs import (
    CellDelta,
    HeldOutput,
    LogMatches,
    LogSlice,
    NotebookDeltas,
)  # fmt: skip
from jupyter_mlws.domain.jobs.schemas.notebooks import (
    JobParameters,
    KernelChoice,
    KernelList,
    NotebookInspect,
    NotebookInspection,
    ParameterField,
)  # fmt: skip
from jupyter_mlws.domain.jobs.schemas.sending import (
    BlobQuery,
    KeepFile,
    MissingBlobs,
)  # fmt: skip
from jupyter_mlws.domain.jobs.schemas.specs import (
    COMMAND_CHARS,
    JOB_FILE_CHARS,
    CommandSpec,
    DataType,
    ExtensionSpec,
    InputMode,
    JobInput,
    JobOutput,
    NotebookSpec,
    OutputMode,
    SourceManifest,
    Spec,
)  # fmt: skip
from jupyter_mlws.domain.jobs.schemas.submitting import (
    JobCreate,
    JobUpdate,
    ReRun,
)  # fmt: skip

__all__ = [
    "COMMAND_CHARS", "JOB_FILE_CHARS", "Attempt", "BlobQuery", "CellDelta", "CommandSpec", "DataType", "ExtensionSpec",
    "HeldOutput", "InputMode", "Job", "JobCreate", "JobFile", "JobFileSchema", "JobFileSource", "JobFileSubmission",
    "JobFileSubmit", "JobFileText", "JobFileValidation", "JobFileWarning", "JobInput", "JobList", "JobOutput",
    "JobParameters", "JobUpdate", "JobUsage", "KeepFile", "KeptKernel", "KernelChoice", "KernelList", "LogMatches",
    "LogSlice", "MissingBlobs", "NotebookDeltas", "NotebookInspect", "NotebookInspection", "NotebookSpec", "OutputMode",
    "ParameterField", "ReRun", "SourceManifest", "Spec",
]  # fmt: skip
