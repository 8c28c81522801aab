"""Wire types of compute targets. The door of this slice to them."""

from __future__ import annotations

from jupyter_mlws.domain.compute.schemas.batch import (
    BatchCreate,
    BatchPlace,
    LsfCreate,
    LsfPlace,
    LsfUpdate,
    PbsCreate,
    PbsPlace,
    PbsUpdate,
    SlurmCreate,
    SlurmPlace,
    SlurmUpdate,
)  # fmt: skip
from jupyter_mlws.domain.compute.schemas.gateway import (
    FETCH_LIMIT,
    GatewayCreate,
    GatewayPlace,
    GatewayUpdate,
)  # fmt: skip
from jupyter_mlws.domain.compute.schemas.history import (
    ComputeUsage,
    EndedJob,
    EndedJobPage,
    EndedJobsQuery,
    Span,
    UsageQuery,
    Use,
    UserUse,
)  # fmt: skip
from jupyter_mlws.domain.compute.schemas.hosts import (
    HostFacts,
    HostKernel,
    HostKeyQuery,
    HostNotebooks,
    KeySecret,
    ShownKey,
    ShownKeys,
    SshCreate,
    SshPlace,
    SshUpdate,
)  # fmt: skip
from jupyter_mlws.domain.compute.schemas.targets import (
    Amounts,
    Bytes,
    ComputeCreate,
    ComputeDeleteQuery,
    ComputeList,
    ComputeTarget,
    ComputeTest,
    ComputeUpdate,
    Cpus,
    Gpus,
    Instances,
    JobResources,
    Jobs,
    LimitsChanged,
    LiveJob,
    Load,
    QueuedJob,
    TargetCheck,
    TestStep,
    UserLimits,
)  # fmt: skip

__all__ = [
    "FETCH_LIMIT", "Amounts", "BatchCreate", "BatchPlace", "Bytes", "ComputeCreate", "ComputeDeleteQuery",
    "ComputeList", "ComputeTarget", "ComputeTest", "ComputeUpdate", "ComputeUsage", "Cpus", "EndedJob",
    "EndedJobPage", "EndedJobsQuery", "GatewayCreate", "GatewayPlace", "GatewayUpdate", "Gpus", "HostFacts",
    "HostKernel", "HostKeyQuery", "HostNotebooks", "Instances", "JobResources", "Jobs", "KeySecret", "LimitsChanged",
    "LiveJob", "Load", "LsfCreate", "LsfPlace", "LsfUpdate", "PbsCreate", "PbsPlace", "PbsUpdate", "QueuedJob", "ShownKey",
    "ShownKeys", "SlurmCreate", "SlurmPlace", "SlurmUpdate", "Span", "SshCreate", "SshPlace", "SshUpdate", "TargetCheck",
    "TestStep", "UsageQuery", "Use", "UserLimits", "UserUse",
]  # fmt: skip
