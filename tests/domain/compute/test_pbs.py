"""PBS without one: what is read of what Torque, OpenPBS and PBS Pro print, as their manuals have it, and what they are asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.domain.compute.batch import pbs, qstat
from jupyter_mlws.domain.compute.batch.pbs import Dialect, Pbs
from jupyter_mlws.domain.compute.batch.psi import Submitter
from jupyter_mlws.domain.compute.batch.site import Done, Laid
from jupyter_mlws.domain.compute.batch.system import End, Unknown, Wanted, last_words
from jupyter_mlws.domain.compute.errors import HostUnfit, HostUnreachable, QueueFull
from jupyter_mlws.domain.compute.schemas import PbsPlace
from tests.domain.compute.answers import Answers

TORQUE = (
    "Job Id: 812.head.example\n    Job_Name = mlws-1a2b3c4d5e\n    Job_Owner = ada@head.example\n"
    "    resources_used.cput = 00:00:09\n    resources_used.walltime = 00:10:21\n    job_state = C\n    queue = batch\n"
    "    exec_host = n1/0+n1/1+n2/0\n    Resource_List.nodes = 1:ppn=2\n    Resource_List.walltime = 00:10:00\n"
    "    Variable_List = PBS_O_HOME=/home/ada,PBS_O_LANG=C,PBS_O_PATH=/usr/local/bin:/\n\tusr/bin:/bin,job_state = R\n"
    "    comment = Job started on Mon Mar 02 at 10:00\n    exit_status = 271\n\n"
)
PRO = (
    "Job Id: 4711.pbs01\n    Job_Name = mlws-1a2b3c4d5e\n    Job_Owner = ada@login\n    job_state = Q\n    queue = workq\n"
    "    Resource_List.ncpus = 8\n    Resource_List.select = 1:ncpus=8:mem=4096mb\n    Resource_List.walltime = 01:00:00\n"
    "    comment = Not Running: Insufficient amount of resource: ncpus (R: 8 A: 2 T:\n\t 16)\n\n"
    "Job Id: 4712.pbs01\n    Job_Name = mlws-ffffffffff\n    job_state = F\n    exec_host = n3/0*8\n"
    "    Resource_List.walltime = 01:00:00\n    resources_used.walltime = 01:00:12\n"
    "    comment = Job run at Mon Mar 02 at 10:00 on (n3:ncpus=8) and failed\n    Exit_status = -29\n\n"
)
WRAPPER = "Job Id:\t7\n\tJob_Name = mlws-1a2b3c4d5e\n\tjob_state = C\n\texec_host = vm/2\n\tResource_List.walltime = 00:01:00\n\n"


def place(**given: Any) -> PbsPlace:
    nothing = dict.fromkeys(("queue", "account", "project", "dialect", "time_limit_s", "server_url"))
    return PbsPlace(**{**nothing, "python": "python3", **given})


def test_values_that_go_on_in_the_next_line_are_whole_whatever_they_hold():
    [job] = qstat.jobs(TORQUE).values()
    assert job["variable_list"].endswith("PBS_O_PATH=/usr/local/bin:/usr/bin:/bin,job_state = R")
    assert job["job_state"] == "C"
    assert qstat.nodes(job["exec_host"]) == "n1, n2"


def test_a_job_that_waits_says_why_in_the_words_of_pbs():
    waiting, ended = (pbs.seen("pro", number, job) for number, job in qstat.jobs(PRO).items())
    assert (waiting.native_id, waiting.name, waiting.stage) == ("4711.pbs01", "mlws-1a2b3c4d5e", "waits")
    assert waiting.reason == "Not Running: Insufficient amount of resource: ncpus (R: 8 A: 2 T: 16)"
    assert (ended.stage, ended.nodes) == ("over", "n3")
    held = pbs.seen("torque", "1", {"job_state": "H"})
    assert (held.stage, held.reason) == ("waits", "it is held")


@pytest.mark.parametrize(
    ("dialect", "state", "stage"),
    [
        ("torque", "E", "runs"),
        ("torque", "C", "over"),
        ("torque", "U", "over"),
        ("pro", "U", "runs"),
        ("pro", "F", "over"),
        ("pro", "?", "runs"),
    ],
)
def test_each_dialect_has_its_own_states(dialect: Dialect, state: str, stage: str):
    assert pbs.seen(dialect, "1", {"job_state": state}).stage == stage


RAN = {"exec_host": "n1/0", "resource_list.walltime": "00:10:00"}
SIGNALED = {"reason": "exited", "signaled": True, "started_at": 0, "ended_at": 30_000}


@pytest.mark.parametrize(
    ("dialect", "told", "record", "cause"),
    [
        ("pro", {"job_state": "F", "exit_status": "-29", **RAN}, {}, "timeout"),
        ("pro", {"job_state": "F", "exit_status": "-27", **RAN}, {}, "memory"),
        ("pro", {"job_state": "F", "exit_status": "-11", **RAN}, {}, "failed"),
        ("torque", {"job_state": "C", "exit_status": "-11", **RAN}, {}, "timeout"),
        ("torque", {"job_state": "C", "exit_status": "-10", **RAN}, {}, "memory"),
        ("torque", {"job_state": "C", "exit_status": "271", "resources_used.walltime": "00:10:21", **RAN}, {}, "timeout"),
        ("torque", {"job_state": "C", "exit_status": "271", "resources_used.walltime": "00:00:30", **RAN}, {}, "ended"),
        ("torque", {"job_state": "C", "exit_status": "271"}, {}, "cancelled"),
        ("torque", {"job_state": "C", "exit_status": "0", **RAN}, {}, ""),
        ("torque", {"job_state": "C", **RAN}, SIGNALED, "ended"),
        ("torque", {"job_state": "C", **RAN}, {**SIGNALED, "ended_at": 600_000}, "timeout"),
        ("torque", {"job_state": "C", **RAN}, {"reason": "exited", "signaled": False, "started_at": 0, "ended_at": 900_000}, ""),
        ("torque", {"job_state": "C", **RAN}, {**SIGNALED, "ended_at": 10**400}, "timeout"),
        ("torque", {"job_state": "C", **RAN}, {**SIGNALED, "started_at": 10**400}, "ended"),
        ("torque", {"job_state": "C", **RAN}, {"reason": "batch", "started_at": "0", "ended_at": 30_000}, "ended"),
    ],
)
def test_what_ended_a_job(dialect: Dialect, told: dict[str, str], record: dict[str, Any], cause: str):
    end = pbs.end(dialect, told, record)
    assert (end.cause, end.over) == (cause, True)


def test_a_job_that_still_runs_there_has_not_ended():
    assert not pbs.end("torque", {"job_state": "E", **RAN}, {}).over


@pytest.mark.parametrize(
    ("dialect", "wanted", "words"),
    [
        ("torque", Wanted(None, None, 0, None), "nodes=1:ppn=1"),
        ("torque", Wanted(3.2, 300 << 20, 2, 5401), "nodes=1:ppn=4:gpus=2,mem=300mb,walltime=01:31:00"),
        ("pro", Wanted(None, None, 0, None), "select=1:ncpus=1"),
        ("pro", Wanted(4, (300 << 20) + 1, 2, 5400), "select=1:ncpus=4:mem=301mb:ngpus=2,walltime=01:30:00"),
    ],
)
def test_resources_in_each_dialect(dialect: Dialect, wanted: Wanted, words: str):
    assert pbs.resources(dialect, wanted) == words


@pytest.mark.parametrize(
    ("version", "begins"),
    [
        (Done(0, "pbs_version = 23.06.06\n", ""), "select=1:ncpus=2"),
        (Done(0, "", "Version: 6.1.2\nCommit: 0\n"), "nodes=1:ppn=2"),
        (Done(2, "", "Unknown option: version\n"), "nodes=1:ppn=2"),
    ],
)
def test_the_script_asks_as_qstat_says_that_it_is_asked(tmp_path: Path, version: Done, begins: str):
    pytest.importorskip("psij")
    site = Answers(tmp_path, qstat=version)
    submitter = Submitter(tmp_path, site, Pbs(None))
    ask = Wanted(2, None, 0, 600)
    text = submitter.script("mlws-1a", ["true"], Laid(str(tmp_path), "/mlws"), place(queue="long", account="a1"), ask, "log").text
    asked = [line for line in text.splitlines() if line.startswith("#PBS")]
    assert asked == [
        "#PBS -A a1",
        "#PBS -q long",
        '#PBS -N "mlws-1a"',
        '#PBS -S "/bin/bash"',
        f'#PBS -l "{begins},walltime=00:10:00"',
        "#PBS -e /dev/null",
        "#PBS -o /dev/null",
    ]
    assert len(site.asked) == 1


def test_a_qstat_that_fails_does_not_say_which_it_is(tmp_path: Path):
    site, system = Answers(tmp_path, qstat=Done(1, "", "pbsconf error: pbs conf file /etc/pbs.conf not found\n")), Pbs(None)
    with pytest.raises(HostUnreachable, match="pbs conf file"):
        system.dialect(site)
    site.answers = {"qstat": Done(0, "pbs_version = 23.06.06\n", "")}
    assert system.dialect(site) == "pro"


def test_a_project_is_given_to_pbs_pro_alone(tmp_path: Path):
    pytest.importorskip("psij")
    for dialect, refused in (("pro", False), ("torque", True)):
        submitter = Submitter(tmp_path, Answers(tmp_path), Pbs(dialect))  # type: ignore[arg-type] # of a tuple of two
        asked = ("job", ["true"], Laid(str(tmp_path), "/mlws"), place(project="xy12"), Wanted(None, None, 0, None), "log")
        if refused:
            with pytest.raises(HostUnfit, match="no projects"):
                submitter.script(*asked)
        else:
            assert '#PBS -P "xy12"' in submitter.script(*asked).text


def test_jobs_are_asked_for_by_their_numbers_and_all_of_them_only_for_one_without(tmp_path: Path):
    site = Answers(tmp_path, qstat=Done(0, TORQUE, ""))
    system = Pbs("torque")
    assert system.look(site, [], unnumbered=False) == []
    [seen] = system.look(site, ["812.head"], unnumbered=False)
    assert seen.native_id == "812.head", "as it was submitted"
    system.look(site, ["812.head"], unnumbered=True)
    assert site.asked == ["qstat -Q", "qstat -f 812.head", "qstat -f"]


TWO_SERVERS = "Job Id: 7.{}\n    Job_Name = a\n    job_state = Q\n\nJob Id: 7.{}\n    Job_Name = b\n    job_state = R\n\n"


@pytest.mark.parametrize("written", [("one", "two"), ("one.example", "two.example"), ("two.example", "one.example")])
def test_jobs_of_one_number_on_two_servers_are_two_jobs(tmp_path: Path, written: tuple[str, str]):
    """A queue may be named with its server, and that may change while jobs live."""
    site = Answers(tmp_path, qstat=Done(0, TWO_SERVERS.format(*written), ""))
    jobs = Pbs("torque").look(site, ["7.one", "7.two"], unnumbered=False)
    assert {one.native_id: one.stage for one in jobs} == {
        f"7.{written[0].partition('.')[0]}": "waits",
        f"7.{written[1].partition('.')[0]}": "runs",
    }


def test_what_is_not_among_all_jobs_of_one_server_is_asked_for_by_its_number(tmp_path: Path):
    there = Done(0, TORQUE.replace("812.head.example", "9.other").replace("job_state = C", "job_state = Q"), "")
    site = Answers(tmp_path, qstat_f_9=there, qstat_f=Done(0, TORQUE, ""))
    jobs = {one.native_id: one.stage for one in Pbs("torque").look(site, ["9.other"], unnumbered=True)}
    assert jobs["9.other"] == "waits"
    assert site.asked == ["qstat -f", "qstat -f 9.other"]


def test_what_pbs_has_forgotten_is_no_failure_and_what_does_not_answer_is(tmp_path: Path):
    gone = "qstat: Unknown Job Id Error 9.head.example\nqstat: 8.pbs01 Job has finished, use -x or -H to obtain it\n"
    site = Answers(tmp_path, qstat=Done(153, TORQUE, gone))
    seen = Pbs("torque").look(site, ["812", "9", "8"], unnumbered=False)
    assert [(one.native_id, one.stage) for one in seen] == [("812", "over"), ("9", "over"), ("8", "over")]
    assert last_words(Pbs(None), seen[1]) == "PBS does not know job 9 any more"
    site = Answers(tmp_path, qstat=Done(153, "", ""))  # Slurm's wrapper
    assert [one.state for one in Pbs("torque").look(site, ["9"], unnumbered=False)] == [""]
    assert Pbs("torque").end_of(site, "9", {}) is None
    for code in (255, 153):  # of several servers one may know no such job, and another be away
        site = Answers(
            tmp_path, qstat=Done(code, "", "qstat: cannot connect to server head:15001 (errno=111) Connection refused\n")
        )
        with pytest.raises(HostUnreachable, match=r"PBS cannot be reached: .*Connection refused"):
            Pbs("torque").look(site, ["9"], unnumbered=False)


def test_a_warning_about_the_locale_is_no_failure(tmp_path: Path):
    """Slurm's wrapper is written in Perl."""
    warning = 'perl: warning: Setting locale failed.\nperl: warning: Please check:\n\tLANG = "xx"\n    are supported.\n'
    site = Answers(tmp_path, qstat=Done(153, "", warning))
    assert [one.stage for one in Pbs("torque").look(site, ["9"], unnumbered=False)] == ["over"]


def test_a_pbs_that_forgets_jobs_when_they_are_over_had_told_their_limit(tmp_path: Path):
    running = TORQUE.replace("job_state = C", "job_state = R")
    system, site = Pbs("torque"), Answers(tmp_path, qstat=Done(0, running, ""))
    system.look(site, ["812.head.example"], unnumbered=False)
    site.answers = {"qstat": Done(153, "", "qstat: Unknown Job Id Error 812.head.example\n")}
    system.look(site, ["812.head.example"], unnumbered=False)
    system.look(site, ["813.head.example"], unnumbered=False)  # while what the job logged is stored
    end = system.end_of(site, "812.head.example", {**SIGNALED, "ended_at": 600_000})
    assert end == End("not known any more", "", "timeout", "00:10:00")
    assert system.end_of(site, "812.head.example", {**SIGNALED, "signaled": False}) is None


def test_where_pbs_pro_keeps_no_history_it_is_asked_without(tmp_path: Path):
    without = Done(1, "", "qstat: PBS is not configured to maintain job history\n")
    site = Answers(tmp_path, qstat_x=without, qstat_f=Done(0, PRO, ""))
    system = Pbs("pro")
    for _ in range(2):
        assert len(system.look(site, ["4711.pbs01"], unnumbered=False)) == 2
    assert site.asked == ["qstat -x -f 4711.pbs01", "qstat -f 4711.pbs01", "qstat -f 4711.pbs01"]


WRAPPED = "There was an error running the Slurm sbatch command.\nThe command was:\n'/usr/bin/sbatch 2>&1'\nand the output was:\n'{}\n'\n"


@pytest.mark.parametrize(
    ("done", "raised", "words"),
    [
        (Done(1, "", "qsub: Unknown queue MSG=cannot locate queue"), HostUnfit, "PBS does not take the job: qsub: Unknown queue"),
        (Done(1, WRAPPED.format("sbatch: error: Bad request"), ""), HostUnfit, "PBS does not take the job: Bad request."),
        (Done(1, "", "qsub: cannot connect to server head"), HostUnreachable, "PBS cannot be reached"),
        (Done(1, "", "qsub: would exceed queue generic's per-user limit"), QueueFull, "takes no more jobs now"),
        (Done(1, "", "qsub: submit error (Maximum number of jobs already in queue)"), QueueFull, "takes no more jobs now"),
        (Done(1, "", "qsub: Request timed out"), Unknown, "timed out"),
        (Done(0, "thank you\n", ""), Unknown, "thank you"),
    ],
)
def test_what_qsub_says_is_told_apart(done: Done, raised: type[Exception], words: str):
    with pytest.raises(raised) as error:
        Pbs("torque").number_of(done)
    assert words in str(error.value)


def test_the_number_of_a_job_is_that_with_the_name_of_its_server():
    assert Pbs("torque").number_of(Done(0, "qsub: waiting\n812.head.example\n", "")) == "812.head.example"


def test_spans_in_all_ways():
    assert [qstat.seconds(one) for one in ("00:01:00", "100:00:01", "90", "1:00:00:00", "Infinite", "")] == [
        60,
        360_001,
        90,
        86_400,
        None,
        None,
    ]


def test_what_slurms_wrapper_prints_is_read_too():
    [job] = qstat.jobs(WRAPPER).values()
    assert (job["job_state"], job["resource_list.walltime"]) == ("C", "00:01:00")
