"""The run folders that the inspector shows, each with its index and the folders whose pictures may be seen."""

from __future__ import annotations

import json
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from demo.index.build import IndexBuilder, parse, step_file, step_files
from demo.index.read import GroupRow, IndexReader
from demo.media import Roots
from demo.records import GroupRecord, read_eval_row, read_group
from vlrl.logs import CONFIG_FILE, RunFolder
from vlrl.types import UserError

Value = TypeVar("Value")
RESULTS = "results.json"
SYNC_SECONDS = 1.0


class Run:
    """One run folder: its small files are read when they have changed, its rollouts through the index."""

    watched: tuple[str, ...] = ("config.yaml", "metrics.jsonl", "rollouts", "eval", "summary.json")

    def __init__(self, path: Path, name: str, media_roots: Sequence[Path] = ()) -> None:
        self.path, self.name, self._extra_roots = path, name, media_roots
        self.folder = RunFolder(path)
        self._kept: dict[str, tuple[Any, Any]] = {}
        self.check()
        self.builder = IndexBuilder(path)
        self.index = IndexReader(self.builder.path)

    def check(self) -> None:
        """Raises UserError when the folder is none of this kind."""
        self.folder.check()

    @cached_property
    def roots(self) -> Roots:
        """The run folder, the folders of the data files that its configuration names, and those that the user added."""
        return Roots([self.path, *self._extra_roots, *data_folders(self.path, self.config())])

    def config(self) -> dict[str, Any]:
        """The resolved configuration; empty when it is none."""
        found = self._fresh("config.yaml", self.folder.config)
        return found if isinstance(found, dict) else {}

    def metrics(self) -> list[dict[str, Any]]:
        """One dict per step, oldest first."""
        return self._fresh("metrics.jsonl", self.folder.metrics)

    def evals(self) -> list[dict[str, Any]]:
        """The summaries of all evaluations, by step."""
        return self._fresh("eval", self.folder.evals)

    def eval_rows(self, step: int) -> list[dict[str, Any]]:
        """The rows of one evaluation."""
        return self._fresh("eval", lambda: self.folder.eval_rows(step), f"rows {step}")

    def summary(self) -> dict[str, Any] | None:
        """The run's result, or None while it has none."""
        return self._fresh("summary.json", self.folder.summary)

    def steps(self) -> list[int]:
        """The steps whose rollouts are on disk, ascending."""
        return self._fresh("rollouts", self.folder.steps)

    def group(self, row: GroupRow) -> GroupRecord:
        """The record of a group, read from its place in the file."""
        try:
            with step_file(self.path, row.step).open("rb") as file:
                file.seek(row.offset)
                return read_group(parse(file.read(row.length)))
        except OSError as error:
            raise UserError(f"the rollouts of step {row.step} cannot be read ({error.strerror})") from error

    def ready(self, step: int) -> None:
        """Sees to it that the index has all of a step."""
        try:
            stat = step_file(self.path, step).stat()
        except FileNotFoundError:
            return
        if self.index.files().get(step, ())[:3] != (stat.st_ino, stat.st_size, stat.st_mtime_ns):
            self.builder.sync_step(step)

    def pending(self) -> tuple[int, int]:
        """Bytes of rollouts that are not in the index yet, and all bytes."""
        done = self.index.files()
        sizes = {step: stat.st_size for step, (_, stat) in step_files(self.path).items()}
        waiting = sum(max(size - done[step][3], 0) if step in done else size for step, size in sizes.items())
        return waiting, sum(sizes.values())

    def stamp(self) -> str:
        """Changes whenever training has written something, or the index has grown."""
        return repr([self.pending(), *(_stamp(self.path / name) for name in self.watched)])

    def _fresh(self, name: str, read: Callable[[], Value], key: str = "") -> Value:
        now = _stamp(self.path / name)
        kept = self._kept.get(key or name)
        if kept is None or kept[0] != now:
            if key:
                self._kept = {other: value for other, value in self._kept.items() if not other.startswith("rows ")}
            kept = self._kept[key or name] = (now, read())
        return kept[1]


class Evaluation(Run):
    """A folder that `vlrl eval` wrote: one evaluation, no rollouts."""

    watched = (RESULTS,)

    def check(self) -> None:
        self.results()

    def results(self) -> dict[str, Any]:
        """The content of `results.json`."""

        def read() -> dict[str, Any]:
            try:
                found = json.loads((self.path / RESULTS).read_text(encoding="utf-8"))
            except ValueError as error:
                raise UserError(f"{self.path / RESULTS} is not JSON ({error}); was the file edited by hand?") from error
            return found if isinstance(found, dict) else {}

        return self._fresh(RESULTS, read)

    def config(self) -> dict[str, Any]:
        given = self.results().get("config")
        settings = given if isinstance(given, dict) else {}
        data = settings.get("data")
        paths = data if isinstance(data, list) else [data]
        return {**settings, "data": [{"path": path} for path in paths]}

    def metrics(self) -> list[dict[str, Any]]:
        return []

    def summary(self) -> dict[str, Any] | None:
        return None

    def steps(self) -> list[int]:
        return []

    def evals(self) -> list[dict[str, Any]]:
        modes: dict[str, dict[str, Any]] = {}
        single = str(self.config().get("prompt_mode", "direct"))
        tasks = self.results().get("results")
        for task, values in (tasks if isinstance(tasks, dict) else {}).items():
            for key, value in values.items() if isinstance(values, dict) else ():
                metric, _, mode = key.partition(",")
                interval = values.get(f"{metric}_ci95{',' if mode else ''}{mode}")
                if isinstance(interval, list):
                    count = values.get(f"{metric}_n{',' if mode else ''}{mode}")
                    modes.setdefault(mode or single, {})[f"{task}/{metric}"] = {"mean": value, "ci95": interval, "n": count}
        return [{"step": 0, "prompt_modes": modes}]

    def eval_rows(self, step: int) -> list[dict[str, Any]]:
        def read() -> list[dict[str, Any]]:
            found = (
                (path, line) for path in sorted(self.path.glob("samples_*.jsonl")) for line in path.read_bytes().split(b"\n")[:-1]
            )
            rows = (read_eval_row(parse(line), path.stem.removeprefix("samples_")) for path, line in found)
            return [row for row in rows if row is not None]

        return self._fresh(RESULTS, read, "rows 0")


def open_run(path: Path, name: str, media_roots: Sequence[Path]) -> Run:
    """A run folder, or a folder that `vlrl eval` wrote. Raises UserError for any other."""
    is_evaluation = (path / RESULTS).is_file() and not (path / CONFIG_FILE).is_file()
    return (Evaluation if is_evaluation else Run)(path, name, media_roots)


class Runs(Mapping[str, Run]):
    """All runs by name, in the order they were given, and the thread that keeps their indexes up to date."""

    def __init__(self, paths: Sequence[Path], media_roots: Sequence[Path] = ()) -> None:
        names = _names([path.resolve() for path in paths])
        self._runs = {name: open_run(path, name, media_roots) for name, path in zip(names, paths, strict=True)}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="index", daemon=True)

    def __getitem__(self, name: str) -> Run:
        return self._runs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._runs)

    def __len__(self) -> int:
        return len(self._runs)

    def start(self) -> None:
        """Begins to follow the runs."""
        self._thread.start()

    def close(self) -> None:
        """Ends the following."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        for run in self.values():
            run.builder.close()

    def _follow(self) -> None:
        while not self._stop.is_set():
            for run in self.values():
                try:
                    run.builder.sync(self._stop)
                except Exception:  # a disk that is full or gone must not end the following of the other runs
                    traceback.print_exc()
            self._stop.wait(SYNC_SECONDS)


def data_folders(run: Path, config: Mapping[str, Any]) -> list[Path]:
    """The folders of the data files that a configuration names. A relative path counts from the folder training was started in:
    the first of this process's and the run's own parents that has the file.
    """
    starts = [Path.cwd(), *run.resolve().parents]
    evaluation = config.get("evaluation")
    sources = [config.get("data"), evaluation.get("data") if isinstance(evaluation, dict) else None]
    named = [item.get("path") for source in sources if isinstance(source, list) for item in source if isinstance(item, dict)]
    files = [Path(path) for path in named if isinstance(path, str) and "\0" not in path]
    found = [next((start / path for start in starts if (start / path).exists()), None) for path in files]
    return [path if path.is_dir() else path.parent for path in found if path is not None]


def _names(paths: Sequence[Path]) -> list[str]:
    """Short names that tell the folders apart: the folder's own, or as many parents as it takes.

    >>> _names([Path("/a/x"), Path("/b/x"), Path("/c/y")])
    ['a/x', 'b/x', 'y']
    """
    names = []
    for path in paths:
        others = [other for other in paths if other != path]
        depth = next(d for d in range(1, len(path.parts) + 1) if all(path.parts[-d:] != other.parts[-d:] for other in others))
        names.append("/".join(path.parts[-depth:]).lstrip("/"))
    return names


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)
