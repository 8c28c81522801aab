"""Files with names or places that cannot be kept: the job runs and ends as it would, and they are told."""

from __future__ import annotations

import os
from pathlib import Path

from tests.live import LiveServer, write_notebook

ODD = os.fsencode("odd-") + b"\xff.txt"


def entries(folder: Path, *names: bytes) -> None:
    for name in names:
        with open(os.fsencode(folder) + b"/" + name, "w") as file:  # noqa: PTH123 - no Path holds such a name on every system
            file.write("x")


def test_a_folder_with_odd_names_is_submitted(server: LiveServer):
    folder = server.root / "odd"
    write_notebook(folder / "n.ipynb", "import os\nprint(sorted(os.listdir('.')))")
    entries(folder, ODD, b"two\nlines.txt", "emoji😀.txt".encode())
    (folder / "beside").mkdir()
    os.mkdir(os.fsencode(folder) + b"/folder-\xff")  # noqa: PTH102 - as above
    run_id = server.submit({"kind": "notebook", "notebook": "odd/n.ipynb"})
    run = server.wait(run_id)
    assert run["status"] == "Completed", run["error"]
    assert "'emoji😀.txt', 'n.ipynb', 'two\\nlines.txt'" in server.ok("GET", f"/jobs/{run_id}/log")["text"]
    told = server.ok("GET", f"/jobs/{run_id}")["not_captured"]
    assert {name.split(" (")[0] for name in told} - {"../"} == {"odd-\ufffd.txt", "folder-\ufffd", "two\nlines.txt"}


def test_outputs_with_odd_names_do_not_fail_the_job(server: LiveServer):
    line = r"""printf x > outputs/$'\xff.txt'; printf y > outputs/$'a\nb.txt'; printf z > outputs/ok.txt
    printf q > $'new\xff'; ln -s /etc/passwd outputs/link; mkfifo outputs/pipe"""
    run_id = server.submit({"kind": "command", "command": line})
    run = server.wait(run_id)
    assert run["status"] == "Completed", run["error"]
    found = server.ok("GET", f"/runs/{run_id}/artifacts", params={"recursive": True})["entries"]
    assert [file["path"] for file in found if file["path"].startswith("outputs/")] == ["outputs/ok.txt"]
    told = "; ".join(server.ok("GET", f"/jobs/{run_id}")["not_captured"])
    assert "outputs/\ufffd.txt" in told
    assert "outputs/a\nb.txt" in told


def test_an_output_in_the_place_of_a_logged_file_does_not_fail_the_job(server: LiveServer):
    (server.root / "clash").mkdir()
    (server.root / "clash" / "job.py").write_text(
        "import mlws, pathlib\nmlws.log_text('a file', 'outputs/model')\n"
        "pathlib.Path('outputs/model').mkdir()\npathlib.Path('outputs/model/weights').write_text('w')\n"
    )
    run_id = server.submit({"kind": "command", "command": "python job.py", "code": "clash"})
    run = server.wait(run_id)
    assert run["status"] == "Completed", run["error"]
    told = [entry for entry in server.ok("GET", f"/jobs/{run_id}")["not_captured"] if not entry.startswith("../")]
    assert len(told) == 1
    assert told[0].startswith("outputs/model/weights (The run cannot keep a file at 'outputs/model/weights'")
    assert server.get(f"/runs/{run_id}/artifacts/content", params={"path": "outputs/model"}).text == "a file"


def test_many_outputs_are_all_kept(server: LiveServer):
    run_id = server.submit({"kind": "command", "command": "for i in $(seq 450); do echo $i > outputs/$i; done"})
    assert server.wait(run_id)["status"] == "Completed"
    found = server.ok("GET", f"/runs/{run_id}/artifacts", params={"path": "outputs"})["entries"]
    assert {file["path"] for file in found} == {f"outputs/{number}" for number in range(1, 451)}
