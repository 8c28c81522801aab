"""A target of Slurm without a Slurm: what it keeps in the folders of its jobs, and what it reads there."""

from __future__ import annotations

import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from jupyter_mlws.domain.compute.batch import psi, records, site, slurm
from jupyter_mlws.domain.compute.batch.login import Login
from jupyter_mlws.domain.compute.batch.site import Here, Laid
from jupyter_mlws.domain.compute.batch.slurm import Slurm
from jupyter_mlws.domain.compute.batch.system import End, Seen, Wanted
from jupyter_mlws.domain.compute.batch.target import BatchCompute
from jupyter_mlws.domain.compute.batch.watch import Minder
from jupyter_mlws.domain.compute.errors import HostUnfit, HostUnreachable
from jupyter_mlws.domain.compute.limits import limits_of
from jupyter_mlws.domain.compute.schemas import LimitsChanged, SlurmPlace
from jupyter_mlws.domain.compute.ssh.target import SshCompute
from jupyter_mlws.domain.jobs import folder, remote, store
from jupyter_mlws.domain.jobs import queue as queues
from jupyter_mlws.domain.jobs.followed import Followed, begun
from jupyter_mlws.domain.runs.states import RunStatus
from mlws import ending, jobdir
from mlws.remote.batch import Batch
from mlws.remote.blobs import Blobs
from mlws.remote.jobs import Jobs
from mlws.supervise.batch import begin
from mlws.supervise.entry import ALREADY

PLACE = SlurmPlace(partition=None, account=None, qos=None, reservation=None, time_limit_s=None, python="python3", server_url=None)


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BatchCompute:
    """One whose queue is looked at only when a test says so."""
    monkeypatch.setattr(BatchCompute, "_follow", lambda _: None)
    return BatchCompute("batch", 1, PLACE, Here(tmp_path / "batch", "slurm"), Slurm(), scripts=tmp_path / "batch", description="")


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    """The folder of a job that was submitted, be it that nobody knows whether Slurm has it."""
    path = tmp_path / "jobs" / "a1"
    path.mkdir(parents=True)
    records.note(path, {"name": "mlws-a1", "ticket": "t1", "secrets": False})
    return path


def queue(monkeypatch: pytest.MonkeyPatch, *jobs: Seen) -> None:
    monkeypatch.setattr(Slurm, "look", lambda *_, **__: list(jobs))


@pytest.mark.parametrize("status", [RunStatus.PREPARING, RunStatus.CANCEL_REQUESTED])
def test_what_slurm_never_had_is_taken_back_although_it_was_canceled_before_a_restart(
    target: BatchCompute, sent: Path, monkeypatch: pytest.MonkeyPatch, status: RunStatus
) -> None:
    queue(monkeypatch)
    followed = Followed("a1", "default", 1, "batch", sent)
    followed.status = status
    assert target.is_alive(sent)
    target._look()
    assert not remote.taken_back(target, followed), "it may come still"
    target._watched[sent].since -= 60
    assert remote.taken_back(target, followed)
    assert followed.unprepared
    assert not begun(sent)


def test_a_job_that_is_given_up_while_slurm_is_away_does_not_begin_later(target: BatchCompute, sent: Path) -> None:
    assert target.is_alive(sent)
    (sent / jobdir.SECRETS).write_text("{}")
    target.trouble = "Slurm is away."
    target.give_up()
    assert not (sent / jobdir.SECRETS).exists()
    assert begin(str(sent), "t1") == ALREADY


def test_a_job_whose_host_cannot_be_told_is_told_when_it_can_be(
    target: BatchCompute, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target.is_alive(sent)
    told = Mock(side_effect=[False, True])
    monkeypatch.setattr(target._site, "void", told)
    assert [target.give_up(), target.give_up(), target.give_up()] == [False, True, True]
    assert told.call_count == 2


def test_a_target_that_was_given_up_submits_nothing_more(target: BatchCompute, tmp_path: Path) -> None:
    path = tmp_path / "jobs" / "a5"
    path.mkdir(parents=True)
    (path / jobdir.JOB).write_text('{"env": {}}')
    target.give_up()
    with pytest.raises(HostUnreachable, match="was deleted"):
        target.start(path, {"KEY": "secret"})
    assert sorted(one.name for one in path.iterdir()) == [jobdir.JOB]


@pytest.mark.parametrize(("gpus", "refused"), [(None, False), (0, True), (4, False)])
def test_gpus_that_somebody_limits_count_here_be_it_to_none(
    target: BatchCompute, tmp_path: Path, gpus: int | None, refused: bool
) -> None:
    limits = limits_of(LimitsChanged(), target, 1, {"batch": {} if gpus is None else {"gpus": gpus}})
    ask = store.Ask("a1", "ada", 0, 1, None, cpus=None, memory_bytes=None, gpus=1, gpu_ids=None)
    assert bool(queues.too_large(ask, limits)) is refused


def test_a_job_that_is_lost_is_not_followed_on_and_does_not_begin_later(target: BatchCompute, sent: Path) -> None:
    assert target.is_alive(sent)
    assert target.note_end(sent)
    assert not target._watched
    assert begin(str(sent), "t1") == ALREADY


def test_a_folder_that_cannot_be_written_keeps_no_other_job_from_its_end(
    target: BatchCompute, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sent.parent / "a2"
    other.mkdir()
    records.note(other, {"name": "mlws-a2", "ticket": "t2", "secrets": False})
    assert target.is_alive(sent)
    assert target.is_alive(other)
    queue(monkeypatch, *(slurm.seen(one, f"mlws-a{one}", "FAILED", "None", "") for one in ("1", "2")))
    (sent / jobdir.LOCK).mkdir()
    target._look()
    assert jobdir.read_exit(str(sent)) is None
    assert (jobdir.read_exit(str(other)) or {})["reason"] == "batch"


def test_a_file_system_without_hard_links_takes_the_record(sent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", Mock(side_effect=PermissionError))
    assert ending.bury(str(sent), "Slurm job 1 ended as FAILED")
    assert (jobdir.read_exit(str(sent)) or {})["reason"] == "batch"


def test_of_a_log_the_end_is_read_and_nothing_behind_links_and_pipes(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"x" * 9000 + b"end\n")
    (tmp_path / "link").symlink_to(tmp_path / "long")
    os.mkfifo(tmp_path / "pipe")
    assert ending.last_of(str(tmp_path / "long")).endswith("xend")
    assert [ending.last_of(str(tmp_path / name)) for name in ("link", "pipe", "none")] == [""] * 3


def test_a_target_that_is_away_is_not_asked_for_each_job(target: BatchCompute, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Slurm, "look", Mock(side_effect=AssertionError))
    target.trouble = "Slurm is away."
    with pytest.raises(HostUnreachable, match="away"):
        target.address_for_jobs()


@pytest.mark.parametrize(("error", "raised"), [(OSError("full"), HostUnreachable), (ValueError("locale"), HostUnfit)])
def test_a_job_whose_script_cannot_be_written_was_not_submitted(
    target: BatchCompute, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, raised: type[Exception]
) -> None:
    pytest.importorskip("psij")
    monkeypatch.setattr(
        "psij.executors.batch.script_generator.TemplatedScriptGenerator.generate_submit_script", Mock(side_effect=error)
    )
    path = tmp_path / "jobs" / "a3"
    path.mkdir(parents=True)
    (path / jobdir.JOB).write_text('{"env": {}}')
    with pytest.raises(raised, match="cannot be written"):
        target.start(path, {"KEY": "secret"})
    assert sorted(one.name for one in path.iterdir()) == [jobdir.JOB]


def test_a_submission_that_has_begun_on_its_host_is_taken_up_and_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Begun(Here):
        def laid(self, job_dir: Path) -> AbstractContextManager[Laid]:
            return nullcontext(Laid(str(job_dir), jobdir.KERNEL_PATH, mark={"name": "mlws-before", "ticket": "t0"}))

    monkeypatch.setattr(BatchCompute, "_follow", lambda _: None)
    monkeypatch.setattr(Begun, "submit", Mock(side_effect=AssertionError))
    target = BatchCompute(
        "batch", 1, PLACE, Begun(tmp_path / "batch", "slurm"), Slurm(), scripts=tmp_path / "batch", description=""
    )
    path = tmp_path / "jobs" / "a4"
    path.mkdir(parents=True)
    (path / jobdir.JOB).write_text('{"env": {}}')
    target.start(path)
    queue(monkeypatch, slurm.seen("7", "mlws-before", "RUNNING", "None", "n1"))
    target._look()
    mark = jobdir.read_json(str(path / jobdir.SENT)) or {}
    assert (mark["name"], mark["ticket"], mark["id"]) == ("mlws-before", "t0", "7")


def test_a_silent_job_is_dead_once_slurm_has_forgotten_it_and_not_looked_at_while_it_waits(
    target: BatchCompute, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert target.is_alive(sent)
    minder = Minder(target, target._watched[sent])
    assert (minder.waits(), minder.forgot()) == (False, False), "Slurm was not asked"
    for state, told in (
        ("PENDING", (True, False)),
        ("RUNNING", (False, False)),
        ("FAILED", (False, False)),
        (None, (False, True)),
    ):
        queue(monkeypatch, *([slurm.seen("7", "mlws-a1", state, "None", "n1")] if state else []))
        target._look()
        assert (minder.waits(), minder.forgot()) == told, state
    target.trouble = "Slurm is away."
    assert not minder.forgot()


def test_a_job_that_has_begun_and_whose_number_was_never_known_is_forgotten_all_the_same(
    target: BatchCompute, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(monkeypatch)
    target.is_alive(sent)
    target._look()
    minder = Minder(target, target._watched[sent])
    assert not minder.forgot(), "it may come still"
    (sent / jobdir.PID).write_text("{}")
    assert minder.forgot(), "else it would be Running for ever"


@pytest.mark.parametrize("name", ["a b", "é", "$HOME", "it's"])
def test_a_folder_that_no_script_can_name_is_refused_in_words(tmp_path: Path, name: str) -> None:
    pytest.importorskip("psij")
    ask = Wanted(None, None, 0, None)
    with pytest.raises(HostUnfit, match="MLWS_DATA_DIR"):
        psi.Submitter(tmp_path, Here(tmp_path, "slurm"), Slurm()).script(
            "job", ["true"], Laid(str(tmp_path / name), "/mlws"), PLACE, ask, "log"
        )


def test_the_variables_of_the_node_are_not_the_servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    row: Any = Mock(run_id="a1", attempt=1, gpu_ids=None, env={"SLURM_HINT": "mine"})
    address = folder.Address("", "", "default", "Default", None)
    env = folder.environment_of(row, tmp_path, address, fetched=True, passed=Slurm.passed)
    assert {name: value for name, value in env.items() if name.startswith(Slurm.passed)} == {"SLURM_HINT": "mine"}


def test_a_job_by_way_of_a_host_has_no_mirror_before_its_minder_is_there(sent: Path) -> None:
    host = SshCompute("batch", 1, Mock(), list, jobs=sent.parent, owner="o", description="", server_url="")
    login = Login(host, list, "slurm")
    assert login.lives(sent), "else a job that waits in Slurm's queue would be lost"
    assert login.away(sent) == ""
    assert not host.follows(sent)


@pytest.fixture
def far(tmp_path: Path) -> Batch:
    """A login node that has the folder of a job `a1`, submitted with the ticket `t1`."""
    blobs = Blobs(str(tmp_path / "blobs"))
    made = Batch(Jobs(str(tmp_path / "far"), jobdir.KERNEL_PATH, blobs))
    place = tmp_path / "far" / "a1"
    place.mkdir(parents=True)
    records.note(place, {"name": "mlws-a1", "ticket": "t1", "secrets": True})
    (place / jobdir.SECRETS).write_text('{"KEY": "value"}')
    return made


def test_what_is_taken_back_does_not_begin_on_the_host_when_it_comes_through_late(far: Batch) -> None:
    assert far.recall("a1") == {"begun": False}
    place = Path(far.jobs.dir("a1"))
    assert not (place / jobdir.SECRETS).exists()
    assert begin(str(place), "t1") == ALREADY
    assert far.recall("a2") == {"begun": False}, "nothing came through of that"


def test_what_has_begun_on_the_host_is_not_taken_back(far: Batch) -> None:
    place = Path(far.jobs.dir("a1"))
    (place / jobdir.PID).write_text("{}")
    assert far.recall("a1") == {"begun": True}
    assert jobdir.read_json(str(place / jobdir.SENT)) is not None


def test_a_job_is_not_taken_back_while_its_host_does_not_say_so(
    target: BatchCompute, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(monkeypatch)
    target.is_alive(sent)
    target._look()
    target._watched[sent].since -= 60
    monkeypatch.setattr(target._site, "recall", lambda _: False)
    assert not target.take_back(sent)
    assert begun(sent)
    monkeypatch.setattr(target._site, "recall", lambda _: True)
    assert target.take_back(sent)


def test_of_several_workers_one_waits_for_slurms_time_out(target: BatchCompute, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answers = [], threading.Event()

    def late(*_: object, **__: object) -> list[Seen]:
        asked.append(1)
        assert answers.wait(30)
        raise HostUnreachable("Slurm does not answer.")

    monkeypatch.setattr(Slurm, "look", late)
    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(target.address_for_jobs) for _ in range(4)]
        answers.set()
        assert [isinstance(one.exception(), HostUnreachable) for one in found] == [True] * 4
    assert asked == [1]


def test_a_slurm_that_does_not_answer_holds_up_one_worker_that_cancels(
    target: BatchCompute, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sent.parent / "a2"
    other.mkdir()
    for number, path in enumerate((sent, other)):
        records.note(path, {"name": f"mlws-{path.name}", "ticket": "t", "secrets": False, "id": str(number)})
    asked: list[str] = []
    hangs, answers = threading.Event(), threading.Event()

    def cancel(native_id: str) -> None:
        asked.append(native_id)
        hangs.set()
        assert answers.wait(30)

    monkeypatch.setattr(target._submitter, "cancel", cancel)
    first = threading.Thread(target=target.cancel, args=(sent,))
    first.start()
    try:
        assert hangs.wait(30)
        target.cancel(other)
        assert asked == ["0"], "it did not wait"
    finally:
        answers.set()
        first.join(30)
    target.cancel(other)
    assert asked == ["0", "1"], "it comes again"
    target.trouble = "Slurm is away."
    target._watched[sent].canceled_at = float("-inf")
    target.cancel(sent)
    assert asked == ["0", "1"]


def test_a_slurm_that_is_away_is_not_asked_how_each_job_ended(
    target: BatchCompute, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records.note(sent, {"name": "mlws-a1", "ticket": "t1", "secrets": False, "id": "7"})
    record = {"reason": "exited", "exit_code": 3, "ended_at": int(time.time() * 1000)}
    (sent / jobdir.EXIT).write_text(json.dumps(record))
    monkeypatch.setattr(Slurm, "end_of", Mock(side_effect=AssertionError))
    target.trouble = "Slurm is away."
    assert not target.note_end(sent), "it may be back in a moment"
    (sent / jobdir.EXIT).write_text(json.dumps({**record, "ended_at": 0}))
    assert target.note_end(sent)


def test_an_end_that_a_server_of_before_had_noted_is_asked_for_again(
    target: BatchCompute, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was stopped, and replaced by a newer one, before the job was settled."""
    records.note(sent, {"name": "mlws-a1", "ticket": "t1", "secrets": False, "id": "7"})
    record = {"reason": "exited", "exit_code": None, "signal": 15, "ended_at": int(time.time() * 1000)}
    (sent / jobdir.EXIT).write_text(json.dumps(record))
    (sent / jobdir.BATCH).write_text(
        '{"id": "7", "state": "TIMEOUT", "reason": "", "exit_code": "0:15", "time_limit": "00:01:00"}'
    )
    ended = Mock(return_value=End("TIMEOUT", "", "timeout", "00:01:00"))
    monkeypatch.setattr(Slurm, "end_of", ended)
    assert target.note_end(sent)
    assert target.note_end(sent)
    assert ended.call_count == 1
    outcome = folder.outcome_of(sent)
    assert (outcome.status, outcome.reason) == (RunStatus.FAILED, "timeout")
    assert outcome.error is not None
    assert "the time limit that Slurm had for it, 00:01:00, was over" in outcome.error.message


def test_what_the_script_of_a_job_writes_after_its_record_goes_too(
    target: BatchCompute, sent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records.note(sent, {"name": "mlws-a1", "ticket": "t1", "secrets": False, "id": "7"})
    (sent / jobdir.EXIT).write_text('{"reason": "exited", "exit_code": 0}')
    scripts = tmp_path / "batch" / "slurm"
    scripts.mkdir(parents=True)
    (scripts / "7.out").touch()
    (scripts / "8.out").touch()
    assert target.note_end(sent)
    (scripts / "7.ec").touch()
    target.tidy()
    assert [left.name for left in scripts.iterdir()] == ["8.out"]
    monkeypatch.setattr(site, "SCRIPT_ENDS_S", -1.0)
    target.tidy()
    assert isinstance(target._site, Here)
    assert not target._site._cleaned, "it is not looked for for ever"


def test_a_later_job_of_somebody_else_that_has_the_name_of_ours_is_not_taken_for_it(
    target: BatchCompute, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Seen("7", "mlws-a1", "PENDING", "Resources", "", "waits")
    queue(monkeypatch, ours, ours._replace(native_id="8", state="FAILED", stage="over"))
    assert target.is_alive(sent)
    target._look()
    assert json.loads((sent / jobdir.SENT).read_bytes())["id"] == "7"
    assert jobdir.read_exit(str(sent)) is None


def test_who_asks_for_a_job_while_it_is_marked_finds_the_one_that_is_submitted(
    target: BatchCompute, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "jobs" / "a6"
    path.mkdir(parents=True)
    (path / jobdir.JOB).write_text('{"env": {}}')
    note, followed = records.note, Mock()

    def noted(*args: Any) -> None:
        note(*args)
        assert target.is_alive(path)

    def full(*_: Any) -> None:
        raise OSError("full")

    monkeypatch.setattr(records, "note", noted)
    monkeypatch.setattr(target, "_submit", lambda *_: None)
    monkeypatch.setattr(target._site, "follow", followed)
    target.start(path)
    assert followed.call_count == 1, "a second one would have a minder that learns nothing"
    monkeypatch.setattr(records, "note", full)
    target._watched.clear()
    with pytest.raises(OSError, match="full"):
        target.start(path)
    assert not target._watched
