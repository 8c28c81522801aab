"""Who a request comes from. Slice `access` makes actors and decides what they may; the HTTP layer only carries them."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from msgspec import Struct

TOKEN_PREFIX = "mlws_"  # noqa: S105 - how our tokens begin, not a secret


class ActorKind(str, Enum):
    """How the caller proved who it is."""

    USER = "user"
    """A person signed in to Jupyter."""
    LOCAL = "local"
    """A process of the same operating-system user, which could read the runtime file."""
    KERNEL = "kernel"
    """A kernel that this server started."""
    JOB = "job"
    """A job that this server started."""


class Action(str, Enum):
    """What is asked of a workspace. The service checks the object itself."""

    READ = "read"
    LOG = "log"
    """Write to runs: metrics, params, tags, artifacts."""
    CREATE = "create"
    """Make experiments and runs."""
    SUBMIT = "submit"
    """Submit, cancel and re-run jobs."""
    EXCHANGE = "exchange tokens"
    """Ask for the token of another workspace in place of one's own."""
    EDIT = "edit"
    """Rename, archive, restore, move to the bin."""
    ADMIN = "admin"
    """Delete for good; make and change workspaces."""


class Actor(Struct, frozen=True, kw_only=True):
    """The caller: a name for people, the kind of credentials, and what they are bound to."""

    name: str
    kind: ActorKind
    workspace: str | None = None
    """Name of the only workspace this actor may touch; None for all."""
    workspace_id: int | None = None
    """The same as it is called in the database: names change, while a token is remembered."""
    run_id: str | None = None
    """For a job: its own run."""
    token_id: str | None = None
    root: Path | None = None
    """Where relative paths of the caller begin, if it came through another server than this one; None: in this server's folder."""
