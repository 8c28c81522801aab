"""A real Slurm of our own, for the tests: munged, slurmctld and slurmd of one node, on loopback, in a folder that goes with it. Debian has
the command line of Torque for it, which makes it a PBS, too; that of LSF is ours (`tests/lsf`)."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from typing_extensions import Self

from tests.live import LiveServer, free_port

START_S = 30.0
OF_PBS = ("qsub", "qstat", "qdel")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel")
PLACES = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
CPUS, MEMORY_MB = 4, 4000
"""So much tests may fill: there is one CPU more."""
CONFIG = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld}
SlurmdPort={slurmd}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0
SwitchType=switch/none
MpiDefault=none
GresTypes=gpu
SlurmdParameters=config_overrides
ReturnToService=2
MinJobAge=3600
KillWait=2
InactiveLimit=0
OverTimeLimit=0
MessageTimeout=5
SlurmctldTimeout=30
SlurmdTimeout=30
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} Gres=gpu:1 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=120 DefMemPerCPU=100 State=UP
PartitionName=short Nodes={host} MaxTime=1 DefMemPerCPU=100 State=UP
"""


def slurm_or_skip() -> None:
    """Skip the test where Slurm cannot be started here."""
    lacks = [name for name in PROGRAMS if shutil.which(name, path=PLACES) is None]
    if lacks:
        pytest.skip(f"{', '.join(lacks)}: not installed (Debian: apt install slurmctld slurmd slurm-client munge)")
    if importlib.util.find_spec("psij") is None:
        pytest.skip("psij-python is not installed (pip install 'jupyter_mlws[slurm]')")
    if os.getuid() != 0:
        pytest.skip("a Slurm of our own is started by root alone: its daemons start jobs as their users")


def pbs_or_skip() -> None:
    """Skip the test where there is no command line of PBS for it."""
    lacks = [name for name in OF_PBS if shutil.which(name, path=PLACES) is None]
    if lacks:
        pytest.skip(f"{', '.join(lacks)}: not installed (Debian: apt install slurm-wlm-torque)")


class Slurm:
    """One cluster. `env` makes programs speak with it."""

    kind, called = "slurm", "Slurm"
    submits = "sbatch"
    main: ClassVar[dict[str, str]] = {"partition": "main"}
    """What a target asks for."""
    full = "Resources"
    """Why a job waits for which there is no room."""
    late = "TIMEOUT"
    """What is said of a job whose time was over."""
    number, cpus = "SLURM_JOB_ID", "SLURM_CPUS_PER_TASK"
    """The variables of a job that say these."""
    places = PLACES
    """Where its programs are."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mlws-slurm-"))
        self.host = socket.gethostname().split(".")[0]
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        (self.folder / "munge.key").write_bytes(os.urandom(128))
        (self.folder / "munge.key").chmod(0o400)
        # A GPU in name: what Slurm gives of it is a number in CUDA_VISIBLE_DEVICES.
        (self.folder / "gres.conf").write_text(f"NodeName={self.host} Name=gpu File=/dev/null\n")
        self.config = self.folder / "slurm.conf"
        self.config.write_text(
            CONFIG.format(
                host=self.host, ctld=free_port(), slurmd=free_port(), folder=self.folder, cpus=CPUS + 1, memory=MEMORY_MB
            )
        )

    @property
    def env(self) -> dict[str, str]:
        """Variables of programs that are to find it."""
        return {"SLURM_CONF": str(self.config), "PATH": self.places}

    def start(self) -> Self:
        """Start, and return once a node takes jobs."""
        self._spawn(
            "munged",
            "--foreground",
            "--force",
            *(f"--{what}={self.folder}/munge.{ending}" for what, ending in MUNGE),
        )
        self._until(lambda: (self.folder / "munge.sock").exists())
        self.start_controller()
        self._spawn("slurmd", "-D")
        self._until(lambda: "idle" in self.run("sinfo", "--noheader", "--format=%t"))
        return self

    def start_controller(self) -> None:
        """Start slurmctld, and wait until it answers."""
        self._spawn("slurmctld", "-D", *([] if (self.folder / "state" / "job_state").exists() else ["-c"]))
        self._until(lambda: "UP" in self.run("scontrol", "ping"))

    def stop_controller(self) -> None:
        """End slurmctld; what runs goes on."""
        self._end("slurmctld", signal.SIGTERM)

    def run(self, *argv: str) -> str:
        """What a program prints; empty where it fails."""
        done = subprocess.run(argv, env={**os.environ, **self.env}, capture_output=True, text=True, timeout=60)
        return done.stdout if done.returncode == 0 else ""

    def jobs(self) -> dict[str, tuple[str, str]]:
        """All jobs that it knows: by name, (id, state)."""
        lines = self.run("squeue", "--noheader", "--states=all", "--format=%i %T %j").splitlines()
        return {name: (number, state) for number, state, name in (line.split(" ", 2) for line in lines)}

    def of_run(self, run_id: str) -> list[tuple[str, str]]:
        """(id, state) of the jobs that were submitted for a run."""
        lines = self.run("squeue", "--noheader", "--states=all", "--format=%i %T %o").splitlines()
        return [(number, state) for number, state, script in (line.split(" ", 2) for line in lines) if run_id in script]

    def stop(self) -> None:
        """End all of it."""
        self.run("scancel", "--user=root")
        for name in ("slurmd", "slurmctld", "munged"):
            self._end(name, signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _spawn(self, name: str, *argv: str) -> None:
        program = shutil.which(name, path=PLACES) or name
        with (self.folder / f"{name}.out").open("ab") as out:
            self._running[name] = subprocess.Popen(
                [program, *argv],
                env={**os.environ, **self.env},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def _end(self, name: str, number: int) -> None:
        process = self._running.pop(name, None)
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)

    def _until(self, told: Callable[[], object]) -> None:
        deadline = time.monotonic() + START_S
        while not told():
            ended = {name for name, process in self._running.items() if process.poll() is not None}
            if ended or time.monotonic() > deadline:
                logs = "\n".join(path.read_text(errors="replace")[-2000:] for path in sorted(self.folder.glob("*.out")))
                raise RuntimeError(f"Slurm did not start ({', '.join(ended) or 'too slow'}):\n{logs}")
            time.sleep(0.05)


class Pbs(Slurm):
    """The same with Torque's command line, and with the variables of PBS in jobs."""

    kind, called = "pbs", "PBS"
    submits = "qsub"
    main: ClassVar[dict[str, str]] = {"queue": "main"}
    full = "in its queue"
    late = "C"
    number, cpus = "PBS_JOBID", "SLURM_NTASKS"

    def __init__(self) -> None:
        super().__init__()
        (self.folder / "plugstack.conf").write_text("required spank_pbs.so\n")


class Lsf(Slurm):
    """The same with programs of ours that speak as those of LSF: none of that was to be had."""

    kind, called = "lsf", "LSF"
    submits = "bsub"
    main: ClassVar[dict[str, str]] = {"queue": "main"}
    full = "Not enough job slot(s)"
    late = "TERM_RUNLIMIT"
    number, cpus = "LSB_JOBID", "LSB_DJOB_NUMPROC"
    places = f"{Path(__file__).parent / 'lsf'}{os.pathsep}{PLACES}"


MUNGE = (("key-file", "key"), ("socket", "sock"), ("pid-file", "pid"), ("log-file", "log"), ("seed-file", "seed"))


def waiting_of(server: LiveServer, run_id: str) -> tuple[str, str]:
    """(code, reason) why a job waits."""
    found = server.ok("GET", f"/runs/{run_id}")["waiting"]
    return (found["code"], found["reason"]) if found else ("", "")


def full(cluster: Slurm) -> str:
    """What is said of a job for which there is no room."""
    return f"{cluster.full} ({cluster.called} job"


def eventually(told: Callable[[], object], *, within: float = 30.0) -> None:
    """Wait until it is true."""
    deadline = time.monotonic() + within
    while not told():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.1)


def command(line: str, **fields: object) -> dict[str, object]:
    """A command job."""
    return {"kind": "command", "command": line, **fields}


def log_of(server: LiveServer, run_id: str) -> str:
    """What a job printed."""
    return str(server.ok("GET", f"/jobs/{run_id}/log")["text"])


def running_slurm(kind: type[Slurm] = Slurm) -> Iterator[Slurm]:
    """One for a session of tests."""
    slurm_or_skip()
    if kind is Pbs:
        pbs_or_skip()
    made = kind()
    try:
        yield made.start()
    finally:
        made.stop()


def server_of(cluster: Slurm, folder: Path) -> Iterator[LiveServer]:
    """A server whose machine has it, as the target `batch`."""
    (cluster.folder / "programs").mkdir()  # tests put programs there that come before Slurm's
    environment = {**cluster.env, "PATH": f"{cluster.folder / 'programs'}{os.pathsep}{cluster.places}", "OF_THE_SERVER": "alone"}
    live = LiveServer(folder, options=["--MlwsApp.retry_backoff_s=0.1"], environment=environment).start()
    live.ok("POST", "/compute", {"name": "batch", cluster.kind: cluster.main})
    yield live
    live.stop()


def overdue_job(server: LiveServer, cluster: Slurm) -> str:
    """A job whose time is over in Slurm's eyes, which looks for that every half minute."""
    run_id = server.submit(command("echo begun; sleep 600"), target="batch", resources={"cpus": 1})
    server.wait(run_id, "Running")
    [(number, _)] = cluster.of_run(run_id)
    cluster.run("scontrol", "update", f"JobId={number}", "TimeLimit=00:00:01")
    return run_id


def first_sbatch(cluster: Slurm) -> Iterator[Callable[[str], None]]:
    """Puts a program before `sbatch` or `qsub`, into `programs`: for the first call lines of bash, in which `$real` is Slurm's own."""
    place = cluster.folder / "programs"

    def put(lines: str) -> None:
        new, once = place / "new", place / "once"
        real = f"real={shutil.which(cluster.submits, path=cluster.places)}"
        new.write_text(f'#!/bin/bash\n{real}\nif mkdir {once} 2>/dev/null; then {lines}; else exec $real "$@"; fi\n')
        new.chmod(0o755)
        new.rename(place / cluster.submits)

    yield put
    shutil.rmtree(place)
    place.mkdir()
