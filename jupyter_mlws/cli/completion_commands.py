"""`mlws completion`: the shell's completion script."""

from __future__ import annotations

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash: echo 'eval "$(mlws completion bash)"' >> ~/.bashrc
    zsh:  echo 'eval "$(mlws completion zsh)"' >> ~/.zshrc
    fish: mlws completion fish > ~/.config/fish/completions/mlws.fish
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415 - only this command needs it

    root = click.get_current_context().find_root()
    maker = get_completion_class(shell)
    if maker is None:
        raise click.ClickException(f"There is no completion for {shell}.")
    # bash: the version check of click calls bash; the script itself works from 4.4 on.
    completer = maker(root.command, {}, "mlws", "_MLWS_COMPLETE")
    click.echo(completer.source_template % completer.source_vars())
