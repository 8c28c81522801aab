"""Failures of compute targets."""

from __future__ import annotations

from jupyter_mlws.kit.errors import BadInput, Conflict, NotFound, Unavailable


class ComputeNotFound(NotFound):
    """No compute target has this name."""

    code = "compute_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no compute target {name[:80]!r}.", field="target")


class ComputeExists(Conflict):
    """There is a compute target of this name already."""

    code = "compute_exists"


class ComputeFixed(Conflict):
    """The target stands in the server's settings, or is this machine: it is neither removed nor moved elsewhere."""

    code = "compute_fixed"


class ComputeInUse(Conflict):
    """Jobs run on the target."""

    code = "compute_in_use"


class ComputeNeeded(Conflict):
    """Other targets submit by way of the target."""

    code = "compute_needed"


class TargetRefuses(BadInput):
    """This kind of target cannot do what the job asks for."""

    code = "target_refuses"


class ExtraMissing(BadInput):
    """A package that this kind of target needs is not installed."""

    code = "extra_missing"


class HostUnreachable(Unavailable):
    """The host does not answer, or the connection was cut: it may do later."""

    code = "host_unreachable"


class HostSilent(BadInput):
    """The host that was named does not show its keys: its name or port may be wrong, or it is down."""

    code = "host_silent"


class HostInstalls(Unavailable):
    """The host is installing what notebooks need: it may run them in a minute."""

    code = "host_installs"


class QueueFull(Unavailable):
    """The batch system takes no more jobs of this user or account now: it may do later."""

    code = "queue_full"


class HostFull(Unavailable):
    """The disk of the host is full."""

    code = "host_full"


class HostKeyWrong(Conflict):
    """The host shows another key than the one that the target was made with."""

    code = "host_key_changed"


class LoginRefused(Conflict):
    """The host does not take the key, or there is none to show."""

    code = "login_refused"


class HostUnfit(Conflict):
    """Something on the host is missing or wrong: no Python, a folder that cannot be written."""

    code = "host_unfit"
