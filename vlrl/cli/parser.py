"""Argument parsers (jsonargparse) whose every complaint is one sentence with the place and the mend."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentError
from collections.abc import Sequence
from dataclasses import fields
from difflib import get_close_matches
from itertools import pairwise

from jsonargparse import ArgumentParser, Namespace

from vlrl.types import UserError

_UNKNOWN = re.compile(
    r"(?:Group '(?P<group>[^']+)' does not accept option|Option|unrecognized arguments:) (?:'|--)(?P<key>[\w.-]+)"
)
_NESTED = re.compile(
    r'Parser key "(?P<group>[^"]+)":.*'
    r" class_path '(?P<module>[\w.]+)\.(?P<record>\w+)': Option '(?P<key>\w+)' is not accepted"
)
"""An unknown key of a record inside a list, or of one that may be None: jsonargparse tells the record's class."""
_NAMED = re.compile(r'Parser key "(?P<key>[^"]+)"')


def new_parser(command: str, description: str) -> ArgumentParser:
    """The parser of one sub-command, still without arguments."""
    return ArgumentParser(prog=f"vlrl {command}", description=description, exit_on_error=False, allow_abbrev=False)


def parse(parser: ArgumentParser, argv: Sequence[str]) -> Namespace:
    """The parsed arguments, or a `UserError` that names the option, the config file it stands in and the nearest valid name."""
    try:
        return parser.parse_args(list(argv))
    except ArgumentError as error:
        raise UserError(_sentence(str(error), parser, argv)) from error


def _sentence(message: str, parser: ArgumentParser, argv: Sequence[str]) -> str:
    message = " ".join(message.split())
    help_mend = f"`{parser.prog} --help` lists the options"
    options = [action.dest for action in parser._actions if action.option_strings]
    if nested := _NESTED.match(message):
        record = getattr(sys.modules[nested["module"]], nested["record"])
        options = [f"{nested['group']}.{field.name}" for field in fields(record)]
    if unknown := nested or _UNKNOWN.match(message):
        key = ".".join(filter(None, [unknown["group"], unknown["key"]]))
        close = get_close_matches(key, options, n=1)
        return f"{_place(key, argv)}unknown option {key!r}; {f'did you mean {close[0]!r}?' if close else help_mend}"
    named = _NAMED.match(message)
    place = _place(named["key"] if named else "", argv)
    return f"{place}{message.removeprefix('Parser key ')}; {help_mend}"


def _place(key: str, argv: Sequence[str]) -> str:
    """`config.yaml: ` when the key comes from there, nothing when it stands on the command line."""
    if key == "config" or any(word.split("=")[0] == f"--{key}" for word in argv):
        return ""
    configs = [value for word, value in pairwise(argv) if word == "--config"]
    configs += [word.removeprefix("--config=") for word in argv if word.startswith("--config=")]
    return f"{', '.join(configs)}: " if configs else ""
