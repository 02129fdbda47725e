"""300 completions get the same value through every exported file as from vlrl itself.

The trainers are not installed here (their pins exclude each other), so each loader below is written from the trainer's source,
read at the version named, and does to the exported file what that code does: import it the same way, call it with the same
arguments, take the same keys out of the result. TRL is installed: its own GRPOTrainer is in tests/training/test_trl_rewards.py.
"""

import importlib.util
import inspect
import json
import math
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from urllib.request import urlopen

import pytest
from reward_pairs import COUNT, TASK, Pair, names, pairs

from vlrl.adapters import http, scorer
from vlrl.cli.export import TRAINERS, reward_file

PAIRS = pairs()
Loader = Callable[[Path, Sequence[Pair]], list[float | None]]


def exported(folder: Path, trainer: str, task: str | None = TASK, reward: str | None = None) -> Path:
    path = folder / "exported_reward.py"
    path.write_text(reward_file(trainer, task, reward, path.stem))
    return path


def from_file(path: Path, module_name: str, register: bool = False) -> ModuleType:
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    if register:
        sys.modules[module_name] = module
    spec.loader.exec_module(module)
    return module


def verl(path: Path, rows: Sequence[Pair]) -> list[float | None]:
    """Verl 0.9.1: `load_module` and `get_custom_reward_fn`, then `NaiveRewardManager.run_single` for each sample."""
    function = from_file(path, f"custom_module_{hash(path)}").compute_score
    assert not inspect.iscoroutinefunction(function)
    compute_score = partial(lambda fn, extra, **given: fn(**{**given, **extra}), function, {})
    results = []
    for row in rows:
        extra_info = {"index": 0, "num_turns": None, "rollout_reward_scores": {}}
        given = {"data_source": "vlrl", "solution_str": row.text, "ground_truth": row.answer_json, "extra_info": extra_info}
        results.append(compute_score(**given))
    assert len({tuple(result) for result in results}) == 1  # the same keys from every row
    assert all(math.isfinite(value) for result in results for value in result.values())
    return [None if result["unscorable"] else result["score"] for result in results]


def easyr1(path: Path, rows: Sequence[Pair]) -> list[float | None]:
    """EasyR1 at b44b311: `AutoRewardManager`, registered under one fixed module name, called with a batch of dicts."""
    module = from_file(path, "custom_reward_fn", register=True)
    assert (module.REWARD_TYPE, isinstance(module.REWARD_NAME, str)) == ("batch", True)
    inputs = [
        {"response": row.text, "response_length": row.answer["completion_tokens"], "ground_truth": row.answer_json}
        for row in rows
    ]
    results = partial(module.compute_score)(inputs)
    assert all(set(result) == {"overall", "correct", "failed", "unscorable"} for result in results)
    return [None if result["unscorable"] else result["overall"] for result in results]


def ms_swift(path: Path, rows: Sequence[Pair]) -> list[float | None]:
    """ms-swift 4.6.0: `import_external_file`, `orms[name](args=args)`, then `compute_rewards_per_func` with batched columns.

    `swift.rewards` here is a stand-in that holds the two names a plug-in imports.
    """
    stub = ModuleType("swift.rewards")
    vars(stub).update(ORM=type("ORM", (), {"__init__": lambda self, args=None, **kwargs: None}), orms={})
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "swift", ModuleType("swift"))
        patch.setitem(sys.modules, "swift.rewards", stub)
        from_file(path, "_swift_external_0", register=True)
    reward = stub.orms[f"vlrl_{TASK}"](args=None)  # type: ignore[attr-defined]
    columns = {
        "trainer_state": None,
        "messages": [[{"role": "user", "content": "q"}, {"role": "assistant", "content": row.text}] for row in rows],
        "response_token_ids": [[[0] * row.answer["completion_tokens"]] for row in rows],
        "is_truncated": [False] * len(rows),
        "answer": [row.answer_json for row in rows],
    }
    return reward([messages[-1]["content"] for messages in columns["messages"]], **columns)


def openrlhf(path: Path, rows: Sequence[Pair]) -> list[float | None]:
    """OpenRLHF 0.11.2: `SingleTurnAgentExecutor` calls `reward_func` with lists of one; image placeholders are expanded."""
    function = from_file(path, "reward_func").reward_func
    prompt = "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>Where?<|im_end|>\n<|im_start|>assistant\n"
    results = [
        function([prompt.replace("<|image_pad|>", "<|image_pad|>" * 9) + row.text + "<|im_end|>"], [prompt], [row.answer_json])
        for row in rows
    ]
    assert all(0 <= result["scores"] <= 1 and isinstance(result["rewards"], float) for result in results)
    return [None if result["extra_logs"]["unscorable"] else result["rewards"] for result in results]


def over_http(path: Path, rows: Sequence[Pair]) -> list[float | None]:
    """The service of the exported file, asked over a socket."""
    from threading import Thread

    with http.server(from_file(path, path.stem).SCORE, 0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        body = json.dumps({"rows": [{"text": row.text, "answer": row.answer} for row in rows]}).encode()
        with urlopen(f"http://127.0.0.1:{server.server_port}/score", body, timeout=60) as reply:
            scores = json.load(reply)["scores"]
        server.shutdown()
    return [score["value"] for score in scores]


def trl(path: Path, rows: Sequence[Pair]) -> list[float | None]:
    """TRL 1.16.0: `GRPOTrainer._calculate_rewards` with plain prompts, where completions are strings."""
    function = getattr(from_file(path, path.stem), f"vlrl_{TASK}")
    ids = [[0] * row.answer["completion_tokens"] for row in rows]
    columns = {"answer": [row.answer_json for row in rows], "trainer_state": None, "log_extra": None, "log_metric": None}
    return function(prompts=["q"] * len(rows), completions=[row.text for row in rows], completion_ids=ids, **columns)


LOADERS: dict[str, Loader] = {
    "trl": trl, "verl": verl, "easyr1": easyr1, "ms-swift": ms_swift, "openrlhf": openrlhf, "http": over_http,
}  # fmt: skip


def test_every_trainer_has_a_loader() -> None:
    assert set(LOADERS) == set(TRAINERS)


def test_the_pairs_cover_every_reward_and_many_values() -> None:
    assert len(PAIRS) == COUNT
    assert {pair.answer["reward"] for pair in PAIRS} == set(names())
    assert len({pair.value() for pair in PAIRS}) > 8


@pytest.mark.parametrize("trainer", TRAINERS)
def test_equal_values(trainer: str, tmp_path: Path) -> None:
    assert LOADERS[trainer](exported(tmp_path, trainer), PAIRS) == [pair.value() for pair in PAIRS]


@pytest.mark.parametrize("trainer", ["trl", "verl", "easyr1", "openrlhf", "http"])
def test_one_reward_alone(trainer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.TASK", "gui_click")  # what the exported function is called after
    rows = [Pair(text, {"box": [0, 0, 10, 10], "completion_tokens": 3}) for text in ("[5, 5]", "[50, 50]", "")]
    assert LOADERS[trainer](exported(tmp_path, trainer, None, "gui.click"), rows) == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("trainer", TRAINERS)
def test_gold_that_cannot_be_scored(trainer: str, tmp_path: Path) -> None:
    """None where the trainer has a word for it; else 0, which the loaders above tell by the metric `unscorable`."""
    flat = Pair("[5, 5]", {"box": [5, 5, 5, 5], "reward": "gui.click", **{"completion_tokens": 3}})
    assert LOADERS[trainer](exported(tmp_path, trainer), [flat]) == [None]


@pytest.mark.parametrize("trainer", ["trl", "verl", "easyr1", "ms-swift", "openrlhf"])
def test_a_malformed_gold_raises(trainer: str, tmp_path: Path) -> None:
    path = exported(tmp_path, trainer)
    with pytest.raises(ValueError, match="'box'"):
        LOADERS[trainer](path, [Pair("[5, 5]", {"completion_tokens": 3})])


def test_the_length_that_a_trainer_tells_counts(tmp_path: Path) -> None:
    told = {"completion_tokens": 60, "max_completion_length": 64, "reward": "length.overlong"}
    for trainer in ("trl", "easyr1", "ms-swift"):
        assert LOADERS[trainer](exported(tmp_path, trainer), [Pair("x", told)]) == [
            scorer(reward="length.overlong")("", told).value
        ]
