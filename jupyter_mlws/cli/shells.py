"""The shells' completion scripts.

They differ from those that click brings in two things: values may have blanks, commas and stars (names of experiments do), and there is
the type `path` for files and folders that `completing.py` has chosen, after a folder no blank.
"""

from __future__ import annotations

from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

BASH = """\
%(complete_func)s() {
    local line type value quoted="${COMP_WORDS[COMP_CWORD]}"
    COMPREPLY=()
    while IFS= read -r line; do
        type="${line%%%%,*}" value="${line#*,}"
        case "$type" in
            path)
                compopt -o filenames
                COMPREPLY+=("${value%%/}")
                ;;
            plain)
                case "$quoted" in
                    [\\"\\']*) COMPREPLY+=("$value") ;;
                    *) COMPREPLY+=("$(printf '%%q' "$value")") ;;
                esac
                ;;
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
        esac
    done < <(COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD %(complete_var)s=bash_complete "$1" 2>/dev/null)
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""

ZSH = """\
#compdef %(prog_name)s

%(complete_func)s() {
    local type value about
    local -a lines plain described files folders
    lines=("${(@f)$(COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) %(complete_var)s=zsh_complete "${words[1]}" 2>/dev/null)}")
    for type value about in "${lines[@]}"; do
        case "$type" in
            path) if [[ "$value" == */ ]]; then folders+=("$value"); else files+=("$value"); fi ;;
            plain) if [[ "$about" == _ ]]; then plain+=("$value"); else described+=("$value:$about"); fi ;;
            dir) _path_files -/ ;;
            file) _path_files -f ;;
        esac
    done
    (( $#described )) && _describe -V values described -U
    (( $#plain )) && compadd -U -V values -a plain
    (( $#folders )) && compadd -U -f -S '' -V folders -a folders
    (( $#files )) && compadd -U -f -V files -a files
    return 0
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""

FISH = """\
function %(complete_func)s
    for line in (COMP_WORDS=(commandline -cp) COMP_CWORD=(commandline -t) %(complete_var)s=fish_complete %(prog_name)s 2>/dev/null)
        set -l parts (string split -m 1 "," -- $line)
        switch $parts[1]
            case dir
                __fish_complete_directories $parts[2]
            case file
                __fish_complete_path $parts[2]
            case plain path
                echo $parts[2]
        end
    end
end

complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""


class Bash(BashComplete):
    """bash, 4.4 or newer."""

    source_template = BASH


class Zsh(ZshComplete):
    """zsh."""

    source_template = ZSH


class Fish(FishComplete):
    """fish."""

    source_template = FISH


SHELLS: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}
