"""The fields of a job file, and what becomes of each. Reading, the reference page and the tests go by this one table."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct


class Fate(str, Enum):
    """What becomes of a field."""

    HONOURED = "honoured"
    WARNED = "accepted with a warning"
    REFUSED = "refused"


class Field(Struct, frozen=True):
    """One field. `path` is dotted; `<name>` stands for any key."""

    path: str
    fate: Fate
    about: str
    """What it means, or (of one that is not honoured) what to know instead."""
    example: str
    """A value as YAML."""
    kinds: tuple[str, ...] = ("command", "notebook")
    """The types of jobs that have it."""
    shape: str = ""
    """How its value is read: a name in `data.READERS`."""
    into: str = ""
    """Its place in `JobCreate`."""


SCHEMA_URL = "https://azuremlschemas.azureedge.net/latest/commandJob.schema.json"
COMMAND = ("command",)
NOTEBOOK = ("notebook",)

FIELDS = (
    Field("$schema", Fate.HONOURED, "Any text. Editors read it; nothing here does.", "commandJob.schema.json", shape="text"),
    Field(
        "type",
        Fate.HONOURED,
        "`command`, also if it is left out; or `notebook`, which is our extension.",
        "command",
        shape="kind",
    ),
    Field(
        "display_name",
        Fate.HONOURED,
        "Name of the run; made from the source and a number if left out.",
        "baseline",
        shape="text",
        into="name",
    ),
    Field(
        "experiment_name",
        Fate.HONOURED,
        "Experiment, made if it is new. Left out: the name of the code folder or of the notebook.",
        "digits",
        shape="text",
        into="experiment",
    ),
    Field("description", Fate.HONOURED, "Note of the run.", "First try.", shape="prose", into="note"),
    Field("tags", Fate.HONOURED, "Tags of the run: texts by name.", "{team: vision}", shape="texts", into="tags"),
    Field(
        "compute",
        Fate.HONOURED,
        "Compute target, as `<name>` or `azureml:<name>`; `local`, this machine, if left out.",
        "azureml:local",
        shape="target",
        into="target",
    ),
    Field(
        "environment",
        Fate.HONOURED,
        "What it runs in: an environment of the workspace, as `<name>`, `<name>:<version>` or `<name>@latest`, also behind `azureml:`; "
        "`azureml://registries/…/environments/…`; or a name of the alias table. One that is not known is refused. Left out: the server's "
        "own interpreter, or the notebook's kernel. A mapping (`image`, `build`, `conda_file`) is refused: `mlws environment create` "
        "makes an environment of a conda file, and a job is no container.",
        "sklearn@latest",
        shape="environment",
        into="environment",
    ),
    Field(
        "environment_variables",
        Fate.HONOURED,
        "Environment variables of the job: texts by name.",
        '{OMP_NUM_THREADS: "1"}',
        shape="variables",
        into="env",
    ),
    Field(
        "secrets",
        Fate.HONOURED,
        "Our extension: variables by name, each with the name of the workspace's secret that it holds (`mlws secret set`).",
        "{HF_TOKEN: hugging-face}",
        shape="variables",
        into="secrets",
    ),
    Field("limits.timeout", Fate.HONOURED, "After so many seconds the job is ended.", "3600", shape="seconds", into="timeout_s"),
    Field(
        "limits.memory",
        Fate.HONOURED,
        "Over so much memory the job is ended, all its processes together: bytes, or `4GiB`, `512MB`. Our extension: Azure's command jobs "
        "have the memory of their machine.",
        "4GiB",
        shape="size",
        into="spec.memory_limit",
    ),
    Field(
        "retry_settings.max_retries",
        Fate.HONOURED,
        "How often the job is tried again when it fails, 0 to 20; not when it is canceled or runs out of time. "
        "Azure has this field for parallel jobs.",
        "3",
        shape="whole",
        into="max_retries",
    ),
    Field(
        "retry_settings.timeout",
        Fate.REFUSED,
        "`limits.timeout` is the limit of each attempt.",
        "600",
    ),
    Field(
        "resources.cpus",
        Fate.HONOURED,
        "CPUs that the job asks for; it starts once so many are free. Our extension, as the next two.",
        "4",
        shape="number",
        into="resources.cpus",
    ),
    Field(
        "resources.memory",
        Fate.HONOURED,
        "Memory that it asks for: `4GiB`, `512 MB`, or bytes.",
        "4GiB",
        shape="size",
        into="resources.memory_bytes",
    ),
    Field(
        "resources.gpus",
        Fate.HONOURED,
        "GPUs that it asks for; those that it has stand in `CUDA_VISIBLE_DEVICES`.",
        "1",
        shape="whole",
        into="resources.gpus",
    ),
    Field(
        "command",
        Fate.HONOURED,
        "The shell line or lines, run by bash; a command job needs it. `${{inputs.<name>}}` and `${{outputs.<name>}}` "
        "stand for inputs and outputs.",
        "python train.py",
        COMMAND,
        "command",
        "spec.command",
    ),
    Field(
        "code",
        Fate.HONOURED,
        "Folder that the job takes along and runs in, relative to the file. Left out: the job runs in an empty folder.",
        "src",
        COMMAND,
        "folder",
        "spec.code",
    ),
    Field(
        "inputs.<name>",
        Fate.HONOURED,
        "A number, text or truth value that stands in for `${{inputs.<name>}}`; or a mapping that names data.",
        "0.01",
        COMMAND,
        "inputs",
    ),
    Field("inputs.<name>.value", Fate.HONOURED, "The same in its long form.", "0.01", COMMAND, "literal"),
    Field(
        "inputs.<name>.type",
        Fate.HONOURED,
        "Of data: `uri_folder` (also if it is left out), `uri_file`, `mltable` (its folder), `custom_model`, `mlflow_model` or "
        "`triton_model`. Of a literal: `string`, `number`, `integer` or `boolean`.",
        "uri_file",
        COMMAND,
        "input_type",
    ),
    Field(
        "inputs.<name>.path",
        Fate.HONOURED,
        "File or folder, relative to the file; or an address or `azureml:` reference that the server's mirror map knows. "
        "`${{inputs.<name>}}` stands for the path where it lies while the job runs.",
        "data.csv",
        COMMAND,
        "data_path",
    ),
    Field(
        "inputs.<name>.mode",
        Fate.HONOURED,
        "`ro_mount` (also if it is left out), `rw_mount`, `download` or `direct`; see below.",
        "ro_mount",
        COMMAND,
        "input_mode",
    ),
    Field(
        "inputs.<name>.default",
        Fate.HONOURED,
        "The value of a literal that is given no other. Azure has it in components.",
        "0.01",
        COMMAND,
        "literal",
    ),
    Field(
        "inputs.<name>.optional",
        Fate.HONOURED,
        "`true`: the input may have no value, and then `$[[…]]` around it is left out. Azure has it in components.",
        "true",
        COMMAND,
        "truth",
    ),
    Field(
        "inputs.<name>.description", Fate.HONOURED, "Any text. People read it; nothing here does.", "How fast.", COMMAND, "prose"
    ),
    Field(
        "outputs.<name>",
        Fate.HONOURED,
        "What the job makes, as a mapping or as nothing. `${{outputs.<name>}}` stands for a path in `outputs/`, which is kept.",
        "{type: uri_folder}",
        COMMAND,
        "outputs",
    ),
    Field(
        "outputs.<name>.type",
        Fate.HONOURED,
        "As of an input that is data. A folder is there when the job begins.",
        "uri_file",
        COMMAND,
        "data_type",
    ),
    Field(
        "outputs.<name>.path",
        Fate.HONOURED,
        "Where a copy goes once the job completed: as `path` of an input, but it need not be there.",
        "results/model",
        COMMAND,
        "data_path",
    ),
    Field(
        "outputs.<name>.mode",
        Fate.HONOURED,
        "`rw_mount` (also if it is left out), `upload` (the same) or `direct`: the command writes to `path` itself.",
        "upload",
        COMMAND,
        "output_mode",
    ),
    Field(
        "outputs.<name>.description",
        Fate.HONOURED,
        "Any text. People read it; nothing here does.",
        "The model.",
        COMMAND,
        "prose",
    ),
    Field("outputs.<name>.name", Fate.REFUSED, "An output is not registered as an asset.", "my_data", COMMAND),
    Field("outputs.<name>.version", Fate.REFUSED, "An output is not registered as an asset.", '"1"', COMMAND),
    Field(
        "notebook",
        Fate.HONOURED,
        "The notebook to run, relative to the file; a notebook job needs it. It takes the files of its own folder along.",
        "train.ipynb",
        NOTEBOOK,
        "file",
        "spec.notebook",
    ),
    Field("kernel", Fate.HONOURED, "Kernel; the notebook's own if left out.", "python3", NOTEBOOK, "text", "spec.kernel"),
    Field(
        "parameters",
        Fate.HONOURED,
        "Values by name, of any JSON type; each is declared in the notebook's cell tagged `parameters`.",
        "{epochs: 5}",
        NOTEBOOK,
        "json",
        "spec.parameters",
    ),
    Field(
        "keep_kernel_on_failure",
        Fate.HONOURED,
        "`true`: when a cell fails the kernel is kept for a time, so that a console can be opened on it.",
        "true",
        NOTEBOOK,
        "truth",
        "spec.keep_kernel_on_failure",
    ),
    Field("name", Fate.WARNED, "The server makes the id of a job itself; `display_name` names the run.", "my_job_1"),
    Field("resources.instance_count", Fate.WARNED, "A job is one process tree on one machine.", "1"),
    Field("resources.instance_type", Fate.WARNED, "The compute target says which machine it is.", "Standard_NC6"),
    Field("resources.shm_size", Fate.WARNED, "A job is no container; it has the shared memory of the machine.", "2g"),
    Field("resources.docker_args", Fate.WARNED, "A job is no container.", "--ipc=host"),
    Field("resources.properties", Fate.WARNED, "No cluster reads them here.", "{}"),
    Field("resources.max_instance_count", Fate.WARNED, "A job is one process tree on one machine.", "2"),
    Field("resources.locations", Fate.WARNED, "The compute target says where it is.", "[westeurope]"),
    Field("services", Fate.WARNED, "No interactive service is started beside the job.", "{board: {type: tensor_board}}"),
    Field("properties", Fate.WARNED, "Runs have no properties, and they are not kept; `tags` are.", '{stage: "1"}'),
    Field("identity", Fate.WARNED, "A job runs as the user of the server.", "{type: managed}"),
    Field("queue_settings", Fate.WARNED, "The queue goes by the priority that is given at submit.", "{job_tier: standard}"),
    Field("distribution", Fate.REFUSED, "Distributed training is not supported; a job is one process tree.", "{type: pytorch}"),
    Field("component", Fate.REFUSED, "Components are not supported; write the `command`.", "azureml:train:1"),
    Field("parent_job_name", Fate.REFUSED, "A parent is not supported in files.", "sweep_1"),
    Field("jobs", Fate.REFUSED, "Pipelines are not supported; a file has one job.", "{}"),
    Field("trial", Fate.REFUSED, "Sweeps are not supported.", "{}"),
)

BY_PATH = {field.path: field for field in FIELDS}
SECTIONS = {field.path.partition(".")[0] for field in FIELDS if "." in field.path and "<" not in field.path}
"""Fields that only hold other fields."""
KINDS = ("command", "notebook")
OTHER_KINDS = (
    "pipeline",
    "sweep",
    "automl",
    "spark",
    "component",
    "parallel",
    "import",
    "data_transfer",
    "fine_tuning",
    "distillation",
)
"""Types of jobs that Azure has and we refuse by name."""


def field_of(path: str) -> Field | None:
    """The row of a field; of a mapping with any keys the row that tells of its values."""
    return BY_PATH.get(path) or BY_PATH.get(f"{path}.<name>")
