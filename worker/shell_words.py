"""How bash is asked what modules and scripts make of an environment. Pure."""

import os
from collections.abc import Mapping

from .shell_steps import ShellSteps

__all__ = ["step_at", "variables_for_shell", "variables_left", "words_for_shell"]

#: Bash makes these for itself. What a program had before it gets again.
_SHELLS_OWN = ("OLDPWD", "PWD", "SHLVL", "_")
#: These make bash another bash, or have it read a file first. Programs get them as they were, unless a script set them.
_NOT_FOR_SHELL = ("BASHOPTS", "BASH_ENV", "POSIXLY_CORRECT", "SHELLOPTS")
#: What the names of our own variables and functions begin with.
_OURS = ("_outrider_", "BASH_FUNC__outrider_")

#: Its arguments: the descriptor that hears which step is at work, the one that takes the variables, the path of `env`;
#: what defines `module`, or nothing; the number of modules, and each; the number of scripts, and each with its arguments,
#: their number before.
#:
#: Scripts are not sourced in a function: there, `declare` would make variables that vanish with it. They may change the
#: shell's options and traps; that is undone before anything of ours depends on them. After `set -n` nothing is done any
#: more, so no loop waits for something to be done.
_CODE = r"""
_outrider_report=$1 _outrider_variables=$2 _outrider_env=$3 _outrider_init=$4 _outrider_step=0
builtin shift 4
_outrider_modules=("${@:2:$1}")
builtin shift "$(($1 + 1))"
_outrider_scripts=$1
builtin shift
_outrider_words=("$@")
_outrider_begin() {
    builtin echo "begin $_outrider_step" >&"$_outrider_report"
}
_outrider_end() {
    builtin set +aefuvx +o pipefail +o posix
    builtin trap - DEBUG ERR RETURN EXIT
    builtin echo "end $_outrider_step $1" >&"$_outrider_report"
    [ "$1" = 0 ] || builtin exit 1
    _outrider_step=$((_outrider_step + 1))
}
if [ "$_outrider_init" ]; then
    _outrider_begin
    builtin set --
    builtin source "$_outrider_init"
    builtin type module > /dev/null
    _outrider_end "$?"
fi
for _outrider_module in "${_outrider_modules[@]}"; do
    _outrider_loaded=${LOADEDMODULES-}
    _outrider_begin
    module load "$_outrider_module"
    _outrider_status=$?
    if [ "$_outrider_status" = 0 ] && [ "${LOADEDMODULES-}" = "$_outrider_loaded" ]; then
        case :$_outrider_loaded: in
            *:"$_outrider_module"[:/.]*) ;;
            *) _outrider_status=nothing ;;
        esac
    fi
    _outrider_end "$_outrider_status"
done
for ((; _outrider_scripts > 0; _outrider_scripts--)); do
    _outrider_count=${_outrider_words[0]} _outrider_script=${_outrider_words[1]}
    builtin set -- "${_outrider_words[@]:2:_outrider_count-1}"
    _outrider_words=("${_outrider_words[@]:_outrider_count+1}")
    _outrider_begin
    builtin source "$_outrider_script"
    _outrider_end "$?"
done
_outrider_begin
"$_outrider_env" -0 >&"$_outrider_variables"
_outrider_end "$?"
"""


def words_for_shell(steps: ShellSteps, env: str, report: int, variables: int) -> tuple[str, ...]:
    """Return bash's arguments. Nothing of the steps stands in code.

    Args:
        steps: what to do.
        env: the path of the program that prints variables.
        report: the file descriptor that hears of each step.
        variables: the file descriptor that takes the variables.
    """
    begin = (str(report), str(variables), env, steps.modules_init)
    modules = (str(len(steps.modules)), *steps.modules)
    scripts = (str(len(steps.scripts)), *(word for script in steps.scripts for word in (str(len(script)), *script)))
    return ("--noprofile", "--norc", "-c", _CODE, "bash", *begin, *modules, *scripts)


def variables_for_shell(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that bash is started with."""
    return {name: value for name, value in inherited.items() if name not in _NOT_FOR_SHELL}


def variables_left(content: bytes, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return what `env -0` printed, without what is the shell's own."""
    pairs = (os.fsdecode(entry).partition("=") for entry in content.split(b"\0") if entry)
    left = {name: value for name, _, value in pairs if name not in _SHELLS_OWN and not name.startswith(_OURS)}
    hidden = {name: inherited[name] for name in (*_SHELLS_OWN, *_NOT_FOR_SHELL) if name in inherited}
    return hidden | left


def step_at(report: bytes) -> tuple[int, str | None]:
    """Return the number of the last step and how it ended: a status, `nothing`, or `None` when it did not."""
    words = report.decode("ascii", "replace").rpartition("\n")[0].rpartition("\n")[2].split()
    match words:
        case ["begin", number] if number.isdigit():
            return int(number), None
        case ["end", number, status] if number.isdigit():
            return int(number), status
        case _:
            return 0, None
