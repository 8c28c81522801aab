"""LSF without one: what is read of what its programs print, as IBM's manuals have it, and what they are asked."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, get_args

import pytest

from jupyter_mlws.domain.compute.batch import bjobs, lsf, records
from jupyter_mlws.domain.compute.batch.lsf import Lsf
from jupyter_mlws.domain.compute.batch.psi import Submitter
from jupyter_mlws.domain.compute.batch.site import Done, Here, Laid
from jupyter_mlws.domain.compute.batch.system import Cause, End, Unknown, Wanted, last_words
from jupyter_mlws.domain.compute.batch.target import BatchCompute
from jupyter_mlws.domain.compute.errors import HostUnfit, HostUnreachable, QueueFull
from jupyter_mlws.domain.compute.schemas import LsfPlace
from jupyter_mlws.domain.jobs.batch_ends import WORDS, end_of
from jupyter_mlws.domain.runs.states import RunStatus
from mlws import ending, jobdir
from mlws.remote import batch
from tests.domain.compute.answers import Answers
from tests.supervise.conftest import KERNEL_PATH, JobFolder, until

SIGNALED = {"reason": "exited", "signaled": True}
PENDING = "101^PEND^-^-^-^Job slot limit reached;^mlws-1a-ffff\n"
RUNNING = "102^RUN^-^4*hostA:hostB^-^-^mlws-2b-ffff\n"
KILLED = "103^EXIT^140^hostA^TERM_RUNLIMIT: job killed after reaching LSF run time limit^-^mlws-3c-ffff\n"
NOT_FOUND = "Job <{}> is not found\n"


def place(**given: Any) -> LsfPlace:
    nothing = dict.fromkeys(("queue", "project", "user_group", "application", "time_limit_s", "server_url"))
    return LsfPlace(**{**nothing, "python": "python3", **given})


def job(state: str, ended: str = "-", *, code: str = "-", hosts: str = "hostA") -> bjobs.Job:
    return bjobs.jobs(f"7^{state}^{code}^{hosts}^{ended}^-^mlws\n")["7"]


def test_a_job_is_read_with_what_lsf_says_of_it():
    waiting, running, killed = (one.seen for one in bjobs.jobs(PENDING + RUNNING + KILLED).values())
    assert (waiting.native_id, waiting.name, waiting.stage, waiting.reason) == (
        "101",
        "mlws-1a-ffff",
        "waits",
        "Job slot limit reached",
    )
    assert (running.stage, running.nodes, running.reason) == ("runs", "hostA, hostB", "")
    assert last_words(Lsf(), killed) == (
        "LSF job 103 ended as EXIT (TERM_RUNLIMIT: job killed after reaching LSF run time limit)"
    )


def test_a_reason_of_several_lines_is_one_and_a_name_may_hold_what_stands_between_fields():
    text = "101^PEND^-^-^-^Closed by LSF administrator: 2 hosts;\n Not enough slots: 1 host;^a^b\n" + RUNNING
    first, second = bjobs.jobs(text).values()
    assert first.pending == "Closed by LSF administrator: 2 hosts; Not enough slots: 1 host"
    assert (first.name, second.number) == ("a^b", "102")


def test_a_reason_that_names_a_thousand_hosts_is_cut():
    told = "; ".join(f"host{number}: closed by its administrator" for number in range(1000))
    [found] = bjobs.jobs(f"101^PEND^-^-^-^{told};^mlws\n").values()
    assert found.seen.reason == told[: bjobs.LONGEST]
    assert found.name == "mlws"


def test_what_is_no_job_is_no_job():
    assert bjobs.jobs("welcome to the cluster\n\nJOBID^STAT\n12^RUN\n") == {}


@pytest.mark.parametrize(
    ("state", "stage", "why"),
    [
        ("PEND", "waits", ""),
        ("PSUSP", "waits", "it is suspended"),
        ("PROV", "waits", "its host is started"),
        ("WAIT", "waits", "it waits for jobs that run before it there"),
        ("RUN", "runs", ""),
        ("USUSP", "runs", ""),
        ("SSUSP", "runs", ""),
        ("UNKWN", "runs", ""),
        ("ZOMBI", "runs", ""),
        ("DONE", "over", ""),
        ("EXIT", "over", ""),
    ],
)
def test_each_state(state: str, stage: str, why: str):
    seen = job(state).seen
    assert (seen.stage, seen.reason) == (stage, why)


@pytest.mark.parametrize(
    ("told", "record", "cause"),
    [
        (job("EXIT", "TERM_RUNLIMIT: job killed after reaching LSF run time limit", code="140"), {}, "timeout"),
        (job("EXIT", "TERM_MEMLIMIT: job killed after reaching LSF memory usage limit", code="137"), {}, "memory"),
        (job("EXIT", "TERM_CPULIMIT: job killed after reaching LSF CPU usage limit"), {}, "limit"),
        (job("EXIT", "TERM_OWNER: job killed by owner", code="130"), {}, "cancelled"),
        (job("EXIT", "TERM_ADMIN: job killed by root or LSF administrator"), {}, "cancelled"),
        (job("EXIT", "TERM_PREEMPT: job killed after preemption"), {}, "preempted"),
        (job("EXIT", "TERM_REQUEUE_OWNER: job killed and requeued by owner"), {}, "cancelled"),
        (job("EXIT", "TERM_ZOMBIE: job exited while LSF is not available"), {}, "node"),
        (job("EXIT", "TERM_EXTERNAL_SIGNAL: job killed by a signal external to LSF", code="137"), {}, "ended"),
        (job("EXIT", "TERM_OF_TOMORROW: who knows"), {}, "ended"),
        (job("EXIT", hosts="-"), {}, "cancelled"),
        (job("EXIT", code="143"), SIGNALED, "ended"),
        (job("EXIT", code="143"), {"reason": "batch"}, "ended"),
        (job("EXIT", code="143"), {"reason": "exited", "signaled": False}, ""),
        (job("EXIT", code="3"), SIGNALED, ""),
        (job("DONE"), SIGNALED, "ended"),
        (job("DONE"), {"reason": "exited", "signaled": False}, ""),
        (job("DONE", "TERM_RUNLIMIT: job killed after reaching LSF run time limit"), SIGNALED, "timeout"),
    ],
)
def test_what_ended_a_job(tmp_path: Path, told: bjobs.Job, record: dict[str, Any], cause: str):
    line = f"7^{told.state}^{told.exit_code}^{told.hosts or '-'}^{told.ended or '-'}^-^mlws\n"
    end = Lsf().end_of(Answers(tmp_path, bjobs=Done(0, line, "")), "7", record)
    assert end is not None
    assert (end.cause, end.over, end.state) == (cause, True, told.term or told.state)


def test_each_reason_has_words():
    assert set(bjobs.CAUSES.values()) <= set(get_args(Cause)) & {*WORDS, "cancelled"}


def test_the_script_asks_for_one_host_and_all_else_in_our_own_lines(tmp_path: Path):
    pytest.importorskip("psij")
    submitter = Submitter(tmp_path, Here(tmp_path, "lsf"), Lsf())
    asked = place(queue="normal", project="p1", user_group="team", application="ml")
    ask = Wanted(2.5, (300 << 20) + 1, 2, 5401)
    text = submitter.script("mlws-1a", ["true"], Laid(str(tmp_path), "/mlws"), asked, ask, "log").text
    assert text.startswith("#!/bin/bash\n")
    assert [line.removeprefix("#BSUB ") for line in text.splitlines() if line.startswith("#BSUB")] == [
        '-J "mlws-1a"',
        "-L /bin/bash",
        '-q "normal"',
        '-P "p1"',
        '-G "team"',
        '-app "ml"',
        "-n 3",
        '-R "span[hosts=1]"',
        "-M 301MB",
        '-R "rusage[mem=301MB]"',
        '-gpu "num=2"',
        "-W 91",
        f'-cwd "{tmp_path}"',
        "-env none",
        "-e /dev/null",
        "-o /dev/null",
    ]
    assert "\nexport PYTHONPATH=/mlws\n" in text


def test_at_its_time_limit_the_script_outlives_its_supervisor_which_records_the_end(tmp_path: Path):
    """LSF sends SIGUSR2 to all processes of the job, and kills it ten minutes later."""
    pytest.importorskip("psij")
    folder = JobFolder(tmp_path / "job", ["sleep", "600"])
    records.note(folder.path, {"name": "mlws", "ticket": "t1", "secrets": False})
    (folder.path / "system_logs").mkdir()
    argv = [sys.executable, "-S", "-m", "mlws.supervise.batch", str(folder.path), "t1"]
    submitter = Submitter(tmp_path / "scripts", Here(tmp_path, "lsf"), Lsf())
    asked = (place(), Wanted(None, None, 0, 60), ending.LOG)
    text = submitter.script("mlws", argv, Laid(str(folder.path), str(KERNEL_PATH)), *asked).text
    script = subprocess.Popen(["bash", "-c", text], env={**os.environ, "LSB_JOBID": "7"}, start_new_session=True)
    try:
        supervisor = until(lambda: jobdir.read_pid(str(folder.path)))["pid"]
        os.killpg(script.pid, signal.SIGUSR2)
        os.kill(supervisor, signal.SIGUSR2)
        assert script.wait(30) == 0
        assert folder.exit["signaled"]
    finally:
        jobdir.request_cancel(str(folder.path))
        script.kill()
        script.wait()


def test_a_job_that_asks_for_nothing_has_one_cpu_and_no_limit(tmp_path: Path):
    pytest.importorskip("psij")
    submitter = Submitter(tmp_path, Here(tmp_path, "lsf"), Lsf())
    asked = ("a", ["true"], Laid(str(tmp_path), "/mlws"), place(), Wanted(None, None, 0, None), "log")
    options = re.findall(r"(?m)^#BSUB (-\S+)", submitter.script(*asked).text)
    assert options == ["-J", "-L", "-n", "-R", "-cwd", "-env", "-e", "-o"]


def test_jobs_are_asked_for_by_their_numbers_and_all_of_them_only_for_one_without(tmp_path: Path):
    site, system = Answers(tmp_path, bjobs=Done(0, PENDING + RUNNING, ""), bqueues=Done(0, "", "")), Lsf()
    assert system.look(site, [], unnumbered=False) == []
    assert [one.native_id for one in system.look(site, ["102", "101"], unnumbered=False)] == ["101", "102"]
    system.look(site, ["102"], unnumbered=True)
    asked = f"bjobs -a -noheader -o {bjobs.FIELDS}"
    assert site.asked == ["bqueues", f"{asked} 101 102", asked]


@pytest.mark.parametrize("code", [0, 255])
def test_a_job_is_gone_only_when_it_was_not_known_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int):
    """What `bjobs` is answered by may be some seconds old, and end as failed or not (LSB_BJOBS_CONSISTENT_EXIT_CODE)."""
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    site, system = Answers(tmp_path, bjobs=Done(code, RUNNING, NOT_FOUND.format(101))), Lsf()

    def stages() -> dict[str, tuple[str, str]]:
        return {one.native_id: (one.stage, one.state) for one in system.look(site, ["101", "102"], unnumbered=False)}

    assert stages() == {"101": ("waits", "PEND"), "102": ("runs", "RUN")}
    site.answers = {"bjobs": Done(code, PENDING, NOT_FOUND.format(102))}
    now += lsf.GONE_S - 1
    assert stages() == {"101": ("waits", "PEND"), "102": ("runs", "RUN")}, "as they were"
    now += 2
    assert stages()["102"] == ("runs", "RUN"), "not yet so long"
    now += lsf.GONE_S
    assert stages() == {"101": ("waits", "PEND"), "102": ("over", "")}
    site.answers = {"bjobs": Done(code, PENDING + RUNNING, "")}
    assert stages()["102"] == ("runs", "RUN"), "it was there all the same"


def test_what_was_not_known_before_lsf_was_away_is_not_gone_when_it_is_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It may have begun anew meanwhile: what counts is how long it answers without the job."""
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    site, system = Answers(tmp_path, bjobs=Done(255, "", NOT_FOUND.format(101))), Lsf()
    assert [one.over for one in system.look(site, ["101"], unnumbered=False)] == [False]
    site.answers = {"bjobs": Done(255, "", "LSF is down. Please wait ...")}
    with pytest.raises(HostUnreachable):
        system.look(site, ["101"], unnumbered=False)
    site.answers = {"bjobs": Done(255, "", NOT_FOUND.format(101))}
    for over in (False, True):
        now += lsf.GONE_S + 1
        assert [one.over for one in system.look(site, ["101"], unnumbered=False)] == [over]


@pytest.mark.parametrize("out", ["", "a word of the site\n", "101 PEND - - - - mlws-1a-ffff\n"])
def test_what_says_neither_a_job_nor_that_there_is_none_is_no_answer(tmp_path: Path, out: str):
    with pytest.raises(HostUnreachable, match="LSF cannot be reached"):
        Lsf().look(Answers(tmp_path, bjobs=Done(0, out, "")), ["101"], unnumbered=False)


def test_a_submission_is_not_made_again_before_bjobs_would_show_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(BatchCompute, "_follow", lambda _: None)
    site = Answers(tmp_path, bjobs=Done(0, "", "No job found\n"))
    target = BatchCompute("batch", 1, place(), site, Lsf(), scripts=tmp_path / "batch", description="")
    sent = tmp_path / "jobs" / "a1"
    sent.mkdir(parents=True)
    records.note(sent, {"name": "mlws-a1", "ticket": "t1", "secrets": False})
    assert target.is_alive(sent)
    for ago, again in ((lsf.GONE_S - 5, False), (lsf.GONE_S + 1, True)):
        target._watched[sent].since = time.monotonic() - ago
        target._look()
        assert target.take_back(sent) is again


def test_bsub_has_no_habits_of_who_types_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With BSUB_QUIET it does not say the number of the job, with BSUB_CHK_RESREQ it submits none."""
    program = tmp_path / "bsub"
    program.write_text('#!/bin/sh\necho "$BSUB_QUIET$BSUB_CHK_RESREQ$LSB_NTRIES"; cat')
    program.chmod(0o700)
    (tmp_path / "job").write_text("script")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("BSUB_QUIET", "Y")
    monkeypatch.setenv("BSUB_CHK_RESREQ", "1")
    assert ending.submit("lsf", str(tmp_path / "job"), 10).stdout == "1\nscript"


def test_what_bjobs_forgot_is_told_as_it_was_and_what_it_never_told_by_the_signal(tmp_path: Path):
    site, system = Answers(tmp_path, bjobs=Done(0, KILLED, "")), Lsf()
    system.look(site, ["103"], unnumbered=False)
    site.answers = {"bjobs": Done(255, "", NOT_FOUND.format(103))}
    system.look(site, ["104"], unnumbered=False)
    end = system.end_of(site, "103", {})
    assert end is not None
    assert (end.state, end.cause, end.over) == ("TERM_RUNLIMIT", "timeout", True)
    assert system.end_of(site, "104", SIGNALED) == End("not known any more", "", "ended", "")
    assert system.end_of(site, "104", {"reason": "exited", "signaled": False}) is None
    site.answers = {"bjobs": Done(0, RUNNING, "")}
    end = system.end_of(site, "102", SIGNALED)
    assert end is not None
    assert not end.over


def test_the_run_says_that_its_time_limit_was_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(BatchCompute, "_follow", lambda _: None)
    target = BatchCompute(
        "batch", 1, place(), Answers(tmp_path, bjobs=Done(0, KILLED, "")), Lsf(), scripts=tmp_path, description=""
    )
    folder = tmp_path / "jobs" / "a1"
    folder.mkdir(parents=True)
    records.note(folder, {"name": "mlws-3c-ffff", "ticket": "t1", "secrets": False, "id": "103"})
    record = {"reason": "canceled", "exit_code": None, "signal": 2, "message": None, "signaled": True}
    (folder / jobdir.EXIT).write_text(json.dumps(record))
    assert target.note_end(folder)
    status, reason, error = end_of(folder, record) or pytest.fail("LSF ended it")
    assert (status, reason) == (RunStatus.FAILED, "timeout")
    assert error is not None
    assert error.message == "LSF ended job 103 (TERM_RUNLIMIT): the time limit that LSF had for it was over."


@pytest.mark.parametrize(
    "words",
    [
        "LSF is down. Please wait ...",
        "batch system daemon not responding ... still trying",
        "Failed in an LSF library call: A connect sys call failed: Connection refused",
        "Cannot connect to LSF. Please wait ...",
        "lsid: ls_getentitlementinfo() failed: LIM is down; try later",
        "Job <102> is not found\nLSF is down. Please wait ...",
        "bash: bjobs: no licence",
        "",
    ],
)
def test_what_does_not_answer_is_away(tmp_path: Path, words: str):
    site = Answers(tmp_path, bjobs=Done(255, "", words), bqueues=Done(255, "", words))
    for numbers in (["102"], []):
        with pytest.raises(HostUnreachable, match="LSF cannot be reached"):
            Lsf().look(site, numbers, unnumbered=False)


def test_a_user_without_jobs_and_a_warning_beside_are_no_failure(tmp_path: Path):
    for words in ("No job found\n", "No unfinished job found\n", "perl: warning: Setting locale failed.\nJob <9> is not found\n"):
        assert Lsf().look(Answers(tmp_path, bjobs=Done(255, "", words)), [], unnumbered=True) == []


@pytest.mark.parametrize(
    ("done", "raised", "words"),
    [
        (Done(255, "", "nowhere: No such queue. Job not submitted.\n"), HostUnfit, "nowhere: No such queue. Job not submitted."),
        (
            Done(255, "", "ERROR: You are not a member of project group x.\nRequest aborted by esub. Job not submitted.\n"),
            HostUnfit,
            "not a member of project group x.; Request aborted by esub",
        ),
        (Done(255, "", "LSF is down. Please wait ...\n"), HostUnreachable, "LSF cannot be reached"),
        (Done(255, "", "batch system daemon not responding ... still trying\n"), HostUnreachable, "LSF cannot be reached"),
        (
            Done(255, "", "User <ada>: Pending job threshold reached. Job not submitted.\n"),
            QueueFull,
            "LSF takes no more jobs now: User <ada>: Pending job threshold reached",
        ),
        (Done(255, "", "Failed in an LSF library call: Communication time out. Job not submitted.\n"), Unknown, "time out"),
        (Done(0, "thank you\n", ""), Unknown, "thank you"),
    ],
)
def test_what_bsub_says_is_told_apart(done: Done, raised: type[Exception], words: str):
    with pytest.raises(raised) as error:
        Lsf().number_of(done)
    assert words in str(error.value)


@pytest.mark.parametrize("queue", ["queue <normal>", "default queue <normal>"])
def test_the_number_of_a_job_is_found_among_what_the_site_says(queue: str):
    out = f"Verifying job submission parameters...\nAccount to charge: 082810573256\nJob <7274791> is submitted to {queue}.\n"
    assert Lsf().number_of(Done(0, out, "")) == "7274791"


def test_what_it_is_and_what_it_takes(tmp_path: Path):
    lsid = "IBM Spectrum LSF Standard 10.1.0.12, Jun 10 2021\nCopyright International Business Machines Corp.\n\nMy cluster name is c\n"
    site = Answers(
        tmp_path, lsid=Done(0, lsid, ""), bqueues_nowhere=Done(255, "", "nowhere: No such queue\n"), bqueues=Done(0, "", "")
    )
    assert Lsf().version(site) == "IBM Spectrum LSF Standard 10.1.0.12, Jun 10 2021 answers"
    assert Lsf().takes(place(queue="normal", project="p", time_limit_s=90), site) == "-q normal -P p -W 2"
    assert Lsf().takes(place(), site) == ""
    with pytest.raises(HostUnreachable, match="nowhere: No such queue"):
        Lsf().takes(place(queue="nowhere"), site)


def test_a_login_node_runs_all_that_it_is_asked_and_nothing_else(tmp_path: Path):
    site, system = Answers(tmp_path, bjobs=Done(0, "", "No job found"), b=Done(0, "", ""), lsid=Done(0, "LSF", "")), Lsf()
    system.look(site, ["1", "23"], unnumbered=False)
    system.look(site, [], unnumbered=True)
    system.version(site)
    system.takes(place(queue="a.b-c_1"), site)
    asked = [
        ["bjobs", "-a", "-noheader", "-o", bjobs.FIELDS, *line.partition(bjobs.FIELDS)[2].split()]
        if " -o " in line
        else line.split()
        for line in site.asked
    ]
    asked += [[one, system.tells_version] for one in system.programs] + [["bkill", "12"]]
    for program, *words in asked:
        assert all(re.fullmatch(batch.WORDS[program], word) for word in words), (program, words)
    for program, word in (("bkill", "0"), ("bkill", "0 -u"), ("bkill", "-u"), ("bsub", "-K"), ("bjobs", "-u"), ("bqueues", "-l")):
        assert not re.fullmatch(batch.WORDS[program], word)
