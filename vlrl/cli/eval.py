"""`vlrl eval`: scores of a model, or of stored predictions, with 95 % intervals.

With `--tasks`, published benchmarks by their protocols (`eval_benchmarks.py`); with `--data`, rows of one's own, scored as in
training (`eval_rows.py`). `--output_path` gets `results.json` (`results.<task>.<metric>`) and `samples_<task>.jsonl`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from jsonargparse import ArgumentParser, Namespace
from jsonargparse.typing import ClosedUnitInterval, NonNegativeInt, OpenUnitInterval, PositiveInt

from vlrl.geometry import CoordSpace
from vlrl.types import UserError


def add_arguments(parser: ArgumentParser) -> None:
    """`vlrl eval --tasks A,B (--predictions FILE | --model MODEL)`, `vlrl eval --model MODEL --data ROWS`, `vlrl eval --list`."""
    parser.add_argument("--list", action="store_true", help="list the benchmarks with protocols, layout, licence and size")
    parser.add_argument("--tasks", type=str, help="benchmarks, with commas between, such as screenspot,chartqa")
    parser.add_argument("--protocol", type=str, default="strict", help="whose rules score the benchmarks; --list names them")
    parser.add_argument("--data_root", type=Path, help="folder with the benchmarks' files; left out: the offline hub cache")
    parser.add_argument("--base_url", type=str, help="an OpenAI-compatible server, such as http://127.0.0.1:8000/v1")
    parser.add_argument("--concurrency", type=PositiveInt, default=8, help="requests under way at a server at a time")
    parser.add_argument("--model_args", type=str, help="how --model is loaded: max_pixels=1003520,dtype=bfloat16")
    parser.add_argument("--gen_kwargs", type=str, help="temperature=0.7,max_new_tokens=512,...")
    parser.add_argument("--num_samples", type=PositiveInt, default=1, help="answers to each row: pass@k, mean@k, maj@k")
    parser.add_argument("--seed", type=int, default=0, help="of sampling; a row's answers depend on it and the row only")
    parser.add_argument("--predictions", type=str, help="JSONL file with doc_id and response: score it, run no model")
    parser.add_argument("--coord_space", type=CoordSpace, help="what the answers' numbers mean; left out: the model's, or pixels")
    parser.add_argument("--bootstrap", type=NonNegativeInt, default=1000, help="draws for the intervals; 0: none")
    parser.add_argument("--fail_on_parse_rate", type=ClosedUnitInterval, help="exit with 1 if a smaller share could be read")
    parser.add_argument("--resume", action="store_true", help="go on with what stands in --output_path already")
    parser.add_argument(
        "--log_samples", type=bool, nargs="?", const=True, default=True, help="false: no texts in samples_*.jsonl"
    )
    parser.add_argument("--model", type=str, help="checkpoint folder, hub name, run folder, or `tiny`")
    parser.add_argument("--data", type=str, help="JSONL file of rows of one's own")
    parser.add_argument("--task", type=str, help="the task of rows of --data that name none")
    parser.add_argument("--prompt_mode", type=Literal["direct", "think", "both"], default="direct")
    parser.add_argument(
        "--limit", type=PositiveInt | OpenUnitInterval, help="the first rows only: their number, or a share below 1"
    )
    parser.add_argument("--compare", type=Path, help="output folder of another run: paired differences, rows that flipped")
    parser.add_argument("--dry_run", action="store_true", help="print what the first row of each task is asked, and stop")
    parser.add_argument("--batch_size", type=PositiveInt, default=32, help="rows decoded together")
    parser.add_argument("--max_prompt_length", type=PositiveInt, default=8192, help="tokens; a longer row counts as unusable")
    parser.add_argument("--max_completion_length", type=PositiveInt, help="tokens; left out: the protocol's number, or 512")
    parser.add_argument("--output_path", type=Path, help="folder for results.json and samples_<task>.jsonl")


def run(args: Namespace) -> int:
    """Evaluate, print the table, write the files."""
    if not args.list and (args.tasks is None) == (args.data is None):
        raise UserError("vlrl eval wants either --tasks (benchmarks; --list shows them) or --data (rows of your own)")
    if args.output_path is not None:
        _make_folder(args.output_path)  # before the work, not after it
    if args.data is not None:
        from vlrl.cli import eval_rows  # only now: it needs torch

        return eval_rows.run(args)
    from vlrl.cli import eval_benchmarks

    return eval_benchmarks.run(args)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"output_path: {path} is no folder that can be written ({error.strerror}); name another one") from error
