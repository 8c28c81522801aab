"""`mlws completion`: the shell's completion script."""

from __future__ import annotations

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    It completes commands and options, and values: runs, jobs, experiments, workspaces, kernels, notebooks and folders. Values are
    asked of the server that runs; it starts none.

    \b
    bash: echo 'eval "$(mlws completion bash)"' >> ~/.bashrc
    zsh:  echo 'eval "$(mlws completion zsh)"' >> ~/.zshrc
    fish: mlws completion fish > ~/.config/fish/completions/mlws.fish
    """
    from jupyter_mlws.cli.shells import SHELLS  # noqa: PLC0415 - only this command needs it

    root = click.get_current_context().find_root()
    completer = SHELLS[shell](root.command, {}, "mlws", "_MLWS_COMPLETE")
    click.echo(completer.source_template % completer.source_vars())
