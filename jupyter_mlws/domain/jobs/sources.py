"""Freezing what a job runs: finding the notebook or folder, checking it, storing its bytes. All of it blocks; called from threads."""

from __future__ import annotations

import functools
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from jupyter_mlws.domain.environments.errors import UnusableEnvironment
from jupyter_mlws.domain.jobs import data, remote
from jupyter_mlws.domain.jobs.errors import BlobMissing, NotANotebook, NotebookNotFound, SnapshotUnconfirmed, SourceMissing
from jupyter_mlws.domain.jobs.freezing import freeze
from jupyter_mlws.domain.jobs.notebooks import Inspected, check_kernel, check_parameters, inspect_notebook
from jupyter_mlws.domain.jobs.schemas import CommandSpec, KernelChoice, KernelList, NotebookInspection, NotebookSpec
from jupyter_mlws.domain.jobs.service import Prepared
from jupyter_mlws.domain.jobs.snapshots import Left, Link, walk
from jupyter_mlws.domain.storage import service as storage
from jupyter_mlws.domain.storage.service import SnapshotFile
from jupyter_mlws.kit.actors import ActorKind
from jupyter_mlws.kit.errors import BadInput
from jupyter_mlws.kit.paths import BadPath, clean_relative, inside, resolved
from jupyter_mlws.kit.surrogates import whole_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_mlws.domain.compute.service import Compute
    from jupyter_mlws.domain.jobs.schemas import JobCreate, ParameterField
    from jupyter_mlws.domain.jobs.snapshots import Walk
    from jupyter_mlws.kit.actors import Actor
    from jupyter_mlws.kit.transactions import Transactions

KERNELS_FOR_S = 10.0
SHOWN_LIMIT = 200


def root_of(services: Any, actor: Actor) -> Path:
    """Where the caller's relative paths begin: in the folder of the server that it spoke to, which need not be this one."""
    root: Path = services.settings.root_dir
    return actor.root if actor.root is not None else root


def shown_source(services: Any, actor: Actor, path: str, real: Path) -> str:
    """What a run says of its source. Below the folder of another server the whole path: seen from here a relative one is another file."""
    return path if root_of(services, actor) == services.settings.root_dir else str(real)


def resolve_source(path: str, root: Path, actor: Actor, *, field: str) -> Path:
    """Where a source lies. Relative paths stand below the server's root.

    An absolute one must lie there too, unless the caller is a process of the same operating-system user, which may read all that we may.
    """
    if not Path(path).is_absolute():
        return inside(root, path, field=field)
    real = resolved(Path(path), path, field=field)
    if actor.kind is ActorKind.LOCAL or real.is_relative_to(root.resolve()):
        return real
    raise BadPath(f"The path {path[:200]!r} lies outside the server's folder.", field=field)


def notebook(db: Transactions, services: Any, actor: Actor, body: JobCreate) -> Prepared:
    """Freeze a notebook and the files of its folder."""
    if body.manifest is not UNSET:
        return _from_manifest(db, services, body, "", "")
    spec = body.spec
    assert isinstance(spec, NotebookSpec)  # noqa: S101 - the kind was chosen by it
    path, inspected, checked = _found_notebook(services, actor, body, spec)
    params = params_of(inspected.parameters, checked)
    source = shown_source(services, actor, spec.notebook, path)
    if body.in_place:
        stored = services.blobs.put_file(path)
        file = SnapshotFile(path.name, stored.sha256, stored.size)
        snapshot = db.write_sync(lambda s: storage.store_snapshot(s, [file], [stored.blob]))
        return Prepared(checked, source, inspected.name, snapshot, str(path.parent), "", [], [], params)
    found = walk(
        path.parent,
        server_root=root_of(services, actor),
        data_dir=services.folders.root,
        keep=[path.name],
        confirmed=body.confirm_large,
    )
    return _snapshot(db, services, found, checked, source, inspected.name, params, needed=path.name)


def _found_notebook(services: Any, actor: Actor, body: JobCreate, spec: NotebookSpec) -> tuple[Path, Inspected, NotebookSpec]:
    """Where the notebook lies, what it says of itself, and the spec with its kernel named."""
    path = resolve_source(spec.notebook, root_of(services, actor), actor, field="spec.notebook")
    inspected = inspect_notebook(path, shown=spec.notebook)
    return path, inspected, _checked(services, body, spec, inspected)


def _checked(services: Any, body: JobCreate, spec: NotebookSpec, inspected: Inspected) -> NotebookSpec:
    return checked_spec(spec, inspected, services.jobs.computes.get(body.target), in_environment=body.environment is not UNSET)


def code(db: Transactions, services: Any, actor: Actor, body: JobCreate, *, source: str, experiment: str) -> Prepared:
    """Freeze the files of a code folder, if one is named. `source` tells on the run what is run."""
    if body.manifest is not UNSET:
        return _from_manifest(db, services, body, source, experiment)
    spec = body.spec
    assert not isinstance(spec, NotebookSpec)  # noqa: S101 - the kind was chosen by it
    if spec.code is UNSET:
        return Prepared(spec, source, experiment, None, None, "", [], [], {})
    folder = _found_folder(services, actor, spec.code)
    if body.in_place:
        return Prepared(spec, source, folder.name or experiment, None, str(folder), "", [], [], {})
    found = walk(folder, server_root=root_of(services, actor), data_dir=services.folders.root, confirmed=body.confirm_large)
    return _snapshot(db, services, found, spec, source, folder.name or experiment, {})


def _found_folder(services: Any, actor: Actor, code: str) -> Path:
    folder = resolve_source(code, root_of(services, actor), actor, field="spec.code")
    if not folder.is_dir():
        raise SourceMissing(f"There is no folder {code[:200]!r} to take the code from.", field="spec.code")
    return folder


def check(services: Any, actor: Actor, body: JobCreate) -> None:
    """What freezing checks before it stores anything: sources and data are there, and a notebook takes what is given."""
    if isinstance(body.spec, NotebookSpec):
        _found_notebook(services, actor, body, body.spec)
    elif body.spec.code is not UNSET:
        _found_folder(services, actor, body.spec.code)
    if isinstance(body.spec, CommandSpec):
        placed_data(services, actor, body.spec)


def placed_data(services: Any, actor: Actor, spec: CommandSpec) -> CommandSpec:
    """The spec of a command with its data found, as `data.placed` has it."""

    def resolve(path: str, field: str) -> Path:
        return resolve_source(path, root_of(services, actor), actor, field=field)

    return data.placed(spec, resolve, services.settings.mirror_map)


def _snapshot(
    db: Transactions,
    services: Any,
    found: Walk,
    spec: Any,
    source: str,
    experiment: str,
    params: dict[str, str],
    needed: str | None = None,
) -> Prepared:
    if found.needs_confirmation is not None and not found.files:
        raise SnapshotUnconfirmed(
            f"{found.needs_confirmation} Say that you mean it (confirm_large), or run the job in place (in_place).",
            field="confirm_large",
        )
    if found.needs_confirmation is not None:
        raise SnapshotUnconfirmed(
            f"{found.needs_confirmation} Move data to an ignored folder, confirm it (confirm_large), or run in place (in_place).",
            field="confirm_large",
        )
    frozen = freeze(db, services.blobs, found)
    if any(left.path == needed for left in frozen.left):
        raise NotebookNotFound(
            f"{source} could not be read while the snapshot was taken; submit it again.", field="spec.notebook"
        )
    snapshot = None if frozen.fresh else db.read_sync(lambda s: storage.known_snapshot(s, frozen.files))
    if snapshot is None:
        snapshot = db.write_sync(lambda s: storage.store_snapshot(s, frozen.files, frozen.fresh))
    links = [*found.links, *(left_link(found, left) for left in frozen.left)]
    return Prepared(
        spec=spec,
        source=source,
        default_experiment=experiment,
        snapshot_id=snapshot,
        source_dir=str(found.source),
        work_subdir=found.subdir,
        links=[[link.path, link.target] for link in links],
        not_captured=[f"{left.path} ({left.why})" for left in (*frozen.left, *found.not_captured)][:SHOWN_LIMIT],
        params=params,
    )


def left_link(found: Walk, left: Left) -> Link:
    """The original, in the place of a file that could not be captured."""
    return Link(f"{found.subdir}/{left.path}" if found.subdir else left.path, str(found.source / left.path))


def _from_manifest(db: Transactions, services: Any, body: JobCreate, source: str, experiment: str) -> Prepared:
    """Sources that the client sent itself; of a notebook it is known from them what `source` and `experiment` are."""
    assert body.manifest is not UNSET  # noqa: S101 - the caller looked
    _check_placing(body)
    given = [(clean_relative(file.path, field="manifest.files"), file) for file in body.manifest.files]
    missing = db.read_sync(lambda s: storage.known_hashes(s, [file.sha256 for _, file in given]))
    if missing:
        raise BlobMissing(
            f"{len(missing)} files of the manifest were not sent yet; send them to …/blobs/<sha256> first.", field="manifest"
        )
    files = [SnapshotFile(path, file.sha256, file.size, file.executable) for path, file in given]
    spec: Any = body.spec
    params: dict[str, str] = {}
    if isinstance(spec, NotebookSpec):
        name = clean_relative(spec.notebook, field="spec.notebook")
        blob = next((file.sha256 for path, file in given if path == name), None)
        if blob is None:
            raise NotebookNotFound(f"The manifest has no notebook {name!r}.", field="spec.notebook")
        inspected = inspect_notebook(services.blobs.path(blob), shown=name)
        experiment = name.rsplit("/", 1)[-1].removesuffix(".ipynb")
        spec = _checked(services, body, spec, inspected._replace(name=experiment))
        params = params_of(inspected.parameters, spec)
        source = name
    snapshot = db.write_sync(lambda s: storage.store_snapshot(s, files))
    return Prepared(spec, source, experiment, snapshot, None, "", [], [], params)


def _check_placing(body: JobCreate) -> None:
    """Files that were sent are laid from their top, and a command runs there: what names another folder is refused, not overlooked."""
    if body.in_place:
        raise BadInput("A job can run in place only where the server reads the same folder.", field="in_place")
    code = "." if isinstance(body.spec, NotebookSpec) or body.spec.code is UNSET else body.spec.code
    if clean_relative(code, field="spec.code", empty_ok=True):
        raise BadInput(
            f"With a manifest the job runs at the top of the files that are sent, not in {code[:200]!r}: leave `code` out, or send "
            "the files of that folder with paths that begin in it.",
            field="spec.code",
        )


def checked_spec(
    spec: NotebookSpec, inspected: Inspected, target: Compute | None, *, in_environment: bool = False
) -> NotebookSpec:
    """The spec with its kernel named, after all checks. `in_environment`: it names one, whose kernel it has unless that is named too.

    A kernel is one of the target's machine; may block.
    """
    if in_environment and spec.kernel is UNSET:
        if inspected.language not in (None, "python"):
            words = f"{spec.notebook} is written in {inspected.language[:40]}, and the environment that is named has Python."
            raise UnusableEnvironment(words, field="environment")
        check_parameters(inspected, spec.parameters if spec.parameters is not UNSET else {})
        return spec
    asked = spec.kernel if spec.kernel is not UNSET else inspected.kernel
    if target is not None and remote.has_other_kernels(target):
        asked = remote.kernel_there(target, asked)
        there = remote.kernels(target, asked)
        usual = remote.usual_kernel(target)
        if usual is not None and spec.kernel is UNSET and there is not None and asked not in there:
            asked = usual
        kernel = check_kernel(asked, there, shown=spec.notebook, where=f" on {target.name}")
    else:
        kernel = check_kernel(asked, [choice.name for choice in installed_kernels().kernels], shown=spec.notebook)
    check_parameters(inspected, spec.parameters if spec.parameters is not UNSET else {})
    return msgspec.structs.replace(spec, kernel=kernel)


def params_of(fields: Sequence[ParameterField], spec: NotebookSpec) -> dict[str, str]:
    """Params of the run: what was given, and the defaults of what was not, as Python writes them."""
    given = spec.parameters if spec.parameters is not UNSET else {}
    values = {field.name: field.default if field.required_literal else field.default_source for field in fields}
    return {name[:250]: str(value)[:6000] for name, value in {**values, **given}.items()}


def inspection(services: Any, actor: Actor, path: str) -> NotebookInspection:
    """What the submit dialog needs to know of a notebook."""
    real = resolve_source(path, root_of(services, actor), actor, field="path")
    if real.suffix != ".ipynb" and real.is_file():
        raise NotANotebook(f"{path} is no notebook: its name does not end in .ipynb.", field="path")
    inspected = inspect_notebook(real, shown=path)
    found = walk(real.parent, server_root=root_of(services, actor), data_dir=services.folders.root, keep=[real.name])
    return NotebookInspection(
        path=path,
        name=inspected.name,
        kernel=inspected.kernel,
        kernel_display_name=inspected.kernel_display_name,
        kernel_available=inspected.kernel in {choice.name for choice in installed_kernels().kernels},
        language=inspected.language,
        parameters=inspected.parameters,
        has_parameters_cell=inspected.has_parameters_cell,
        cells=inspected.cells,
        snapshot_files=len(found.files),
        snapshot_bytes=found.size,
        not_captured=[f"{left.path} ({left.why})" for left in found.not_captured[:SHOWN_LIMIT]],
        needs_confirmation=found.needs_confirmation,
        default_experiment=inspected.name,
    )


def installed_kernels() -> KernelList:
    """All kernels that are installed; looked for again after ten seconds."""
    return _kernels(int(time.monotonic() / KERNELS_FOR_S))


@functools.lru_cache(maxsize=1)
def _kernels(_moment: int) -> KernelList:
    from jupyter_client.kernelspec import KernelSpecManager  # noqa: PLC0415 - needed on request only

    manager: Any = KernelSpecManager()
    return KernelList(
        kernels=[
            KernelChoice(name=name, display_name=whole_text(spec["spec"]["display_name"]), language=spec["spec"]["language"])
            for name, spec in sorted(manager.get_all_specs().items())
        ]
    )
