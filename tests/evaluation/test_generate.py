"""Rows answered by the built-in model through `vlrl eval --tasks --model`, and the batches and files underneath."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from bench_folder import write_charades, write_screenspot
from peft import LoraConfig, get_peft_model
from PIL import Image

from vlrl.benchmarks import own_prompt
from vlrl.cli import main
from vlrl.evaluation.generate import Question, Reply, Request, Settings, _hash_file, generate, merge, read_replies, requests
from vlrl.models import vlm as models
from vlrl.types import Media, Sample

ROWS = 12
GOLDEN = Path(__file__).parents[1] / "golden" / "benchmarks"


class Echo:
    """Answers each row with its own id, and notes what it was asked together."""

    identity, space = "echo", None

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def answer(self, requests: Sequence[Request], settings: Settings) -> list[Reply]:
        self.batches.append([request.sample.id for request in requests])
        return [Reply(request.sample.id, "stop") for request in requests]


def asked(rows: int = 50, settings: Settings = Settings(), identity: str = "echo") -> list[Request]:  # noqa: B008
    samples = [Sample(str(i), "chartqa", "x" * (i * 37 % 11) * 20, {}) for i in range(rows)]
    return list(requests(samples, Question(own_prompt("{question}"), "direct", "pixels"), identity, settings))


def batches(path: Path, world: int, size: int = 4) -> set[tuple[str, ...]]:
    found = []
    for rank in range(world):
        echo = Echo()
        generate(asked(), echo, Settings(), path / f"p.{rank}.part.jsonl", size, rank=rank, world=world)
        found += echo.batches
    return {tuple(batch) for batch in found}


def test_the_batches_are_the_same_for_any_number_of_processes(tmp_path: Path) -> None:
    for world in (1, 2, 3):
        (tmp_path / str(world)).mkdir()
    one = batches(tmp_path / "1", 1)
    assert sum(map(len, one)) == 50
    assert batches(tmp_path / "2", 2) == batches(tmp_path / "3", 3) == one
    for world in (1, 2, 3):
        folder = tmp_path / str(world)
        assert merge(asked(), folder.glob("p.*.part.jsonl"), folder / "p.jsonl") == 0
        assert [line["doc_id"] for line in lines(folder / "p.jsonl")] == [str(i) for i in range(50)]
    assert (tmp_path / "1/p.jsonl").read_bytes() == (tmp_path / "3/p.jsonl").read_bytes()


def test_rows_of_like_length_go_together(tmp_path: Path) -> None:
    echo = Echo()
    generate(asked(), echo, Settings(), tmp_path / "p.0.part.jsonl", 5)
    lengths = {request.sample.id: len(request.prompt) for request in asked()}
    means = [[lengths[doc_id] for doc_id in batch] for batch in echo.batches]
    assert all(max(shorter) <= min(longer) for shorter, longer in pairwise(means))


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.5, 0.99])
def test_only_batches_with_a_missing_answer_are_asked_again(tmp_path: Path, kept: float) -> None:
    part = tmp_path / "p.0.part.jsonl"
    generate(asked(), Echo(), Settings(), part, 4)
    whole = part.read_bytes()
    part.write_bytes(whole[: int(kept * len(whole))])
    known, echo = read_replies([part]), Echo()
    generate(asked(), echo, Settings(), part, 4, known)
    again = {doc_id for batch in echo.batches for doc_id in batch}
    assert {request.sample.id for request in asked() if request.key not in known} <= again
    assert len(again) < len(asked()) - len(known) + 4
    merge(asked(), [part], tmp_path / "p.jsonl")
    assert len((tmp_path / "p.jsonl").read_text().splitlines()) == 50


def test_the_key_knows_model_prompt_settings_and_pixels(tmp_path: Path) -> None:
    first = asked()[0].key
    assert first == asked()[0].key
    assert first != asked(identity="other")[0].key
    assert first != asked(settings=Settings(max_completion_length=7))[0].key
    assert first == asked(settings=Settings())[0].key
    picture = tmp_path / "a.png"

    def key() -> str:
        _hash_file.cache_clear()  # a file does not change within a run
        row = Sample("0", "chartqa", "q", {}, (Media("image", str(picture)),))
        (request,) = requests([row], Question(own_prompt("{question}"), "direct", "pixels"), "echo", Settings())
        return request.key

    Image.new("RGB", (4, 4), "red").save(picture)
    red = key()
    assert red == key()
    Image.new("RGB", (4, 4), "blue").save(picture)
    assert red != key()


def test_seeds_depend_on_run_row_and_sample_only() -> None:
    hot = Settings(temperature=1.0)
    seeds = {request.sample.id: request.seed for request in asked(settings=hot)}
    assert len(set(seeds.values())) == 50
    assert {request.sample.id: request.seed for request in asked(5, hot)}.items() <= seeds.items()
    assert asked(settings=hot)[0].key != asked(settings=Settings(temperature=1.0, seed=1))[0].key


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_screenspot(tmp_path_factory.mktemp("bench") / "screenspot", ROWS)


def evaluate(bench: Path, out: Path, *flags: str) -> dict[str, Any]:
    argv = ["--tasks", "screenspot", "--data_root", str(bench), "--output_path", str(out), "--bootstrap", "20", *flags]
    assert main(["eval", "--model", "tiny", "--batch_size", "5", "--max_completion_length", "24", *argv]) == 0
    return json.loads((out / "results.json").read_text())


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_model_answers_and_the_result_says_how(bench: Path, tmp_path: Path) -> None:
    results = evaluate(bench, tmp_path)
    configs = results["configs"]["screenspot"]
    assert configs["coord_space"] == "thousandths"
    assert configs["generation"]["temperature"] == 0.0
    assert len(configs["prompt_hash"]) == 64
    assert configs["model"]["pixel_limits"] == [256, 262144]
    assert set(configs["model"]["packages"]) == {"torch", "transformers"}
    assert len(results["config"]["model_fingerprint"]) == 16
    assert "date" not in json.dumps(results)
    assert set(json.loads((tmp_path / "timing.json").read_text())) == {"date", "seconds", "total_evaluation_time_seconds"}
    samples = lines(tmp_path / "samples_screenspot.jsonl")
    answers = lines(tmp_path / "predictions_screenspot.jsonl")
    assert [line["doc_id"] for line in samples] == [answer["doc_id"] for answer in answers]
    assert [line["resps"] for line in samples] == [[answer["response"]] for answer in answers]
    assert {tuple(answer["processed_size"]) for answer in answers} == {(128, 128)}


def test_stored_predictions_of_a_model_score_the_same(bench: Path, tmp_path: Path) -> None:
    live = evaluate(bench, tmp_path / "live")
    stored = ["--predictions", str(tmp_path / "live" / "predictions_screenspot.jsonl"), "--coord_space", "thousandths"]
    argv = ["--tasks", "screenspot", "--data_root", str(bench), "--output_path", str(tmp_path / "stored"), "--bootstrap", "20"]
    assert main(["eval", *argv, *stored]) == 0
    assert json.loads((tmp_path / "stored" / "results.json").read_text())["results"] == live["results"]
    one, two = (lines(tmp_path / name / "samples_screenspot.jsonl") for name in ("live", "stored"))
    assert one == two


def test_several_samples_and_both_prompts(bench: Path, tmp_path: Path) -> None:
    results = evaluate(bench, tmp_path, "--num_samples", "2", "--prompt_mode", "both", "--seed", "3")["results"]
    assert set(results) == {"screenspot", "screenspot,think"}
    logs = [lines(tmp_path / f"samples_screenspot{suffix}.jsonl") for suffix in ("", ".1")]
    values = [[line["value"] for line in log] for log in logs]
    right = [sum(row) for row in zip(*values, strict=True)]
    assert 0 < sum(right) < 2 * ROWS
    assert results["screenspot"]["mean@2"] == pytest.approx(sum(right) / (2 * ROWS))
    assert results["screenspot"]["pass@1"] == pytest.approx(sum(right) / (2 * ROWS))
    assert results["screenspot"]["pass@2"] == pytest.approx(sum(n > 0 for n in right) / ROWS)


def test_bad_media_and_long_prompts_stay_in_the_denominator(tmp_path: Path) -> None:
    bench = write_screenspot(tmp_path / "screenspot", ROWS)
    for broken in list((bench / "screenspot_imgs").iterdir())[:2]:
        Image.effect_noise((128, 128), 50).save(broken, "JPEG")
        broken.write_bytes(broken.read_bytes()[:4000])  # the header is whole: only decoding shows it
    results = evaluate(bench, tmp_path / "out")
    bad = results["failures"]["screenspot"]["bad_row"]
    assert bad >= 1
    assert results["results"]["screenspot"]["accuracy_n"] == ROWS
    assert results["results"]["screenspot"]["parse_rate"] == pytest.approx(1 - bad / ROWS)
    results = evaluate(bench, tmp_path / "short", "--max_prompt_length", "20")
    assert results["failures"]["screenspot"] == {"bad_row": ROWS}
    assert "more than max_prompt_length 20" in (tmp_path / "short" / "predictions_screenspot.jsonl").read_text()


def test_truncated_answers_are_counted(bench: Path, tmp_path: Path) -> None:
    results = evaluate(bench, tmp_path, "--gen_kwargs", "max_new_tokens=9", "--max_completion_length", "2")
    assert results["failures"]["screenspot"]["truncated"] == ROWS
    assert results["configs"]["screenspot"]["generation"]["max_completion_length"] == 2


@pytest.mark.parametrize(("limit", "rows"), [("5", 5), ("0.4", 5), ("0.01", 1)])
def test_a_limit_is_a_number_or_a_share(bench: Path, tmp_path: Path, limit: str, rows: int) -> None:
    results = evaluate(bench, tmp_path, "--limit", limit)
    assert results["n-samples"]["screenspot"] == {"original": None, "effective": rows}


def test_several_tasks_below_one_root(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_screenspot(tmp_path / "bench" / "screenspot", ROWS)
    (tmp_path / "bench" / "chartqa").symlink_to(GOLDEN / "chartqa__lmms-eval" / "data")
    (tmp_path / "bench" / "screenspot-pro").symlink_to(GOLDEN / "screenspot-pro__official-qwen25vl" / "data")
    argv = ["--tasks", "chartqa,screenspot", "--data_root", str(tmp_path / "bench"), "--output_path", str(tmp_path / "out")]
    model = ["--model", "tiny", "--max_completion_length", "4", "--limit", "3", "--bootstrap", "0"]
    assert main(["eval", *argv, *model]) == 0
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert {name: entry["effective"] for name, entry in results["n-samples"].items()} == {"chartqa": 3, "screenspot": 3}
    assert not [name for name in results["results"]["chartqa"] if name.endswith("_ci95")]
    assert len(lines(tmp_path / "out" / "samples_chartqa.jsonl")) == 3
    assert "## screenspot" in (tmp_path / "out" / "report.md").read_text()
    argv[1] = "screenspot-pro"
    assert main(["eval", *argv, *model, "--protocol", "official-qwen25vl"]) == 0
    assert "asks for max_pixels=99999999; give it in --model_args" in capsys.readouterr().err


def test_videos(tmp_path: Path) -> None:
    bench = write_charades(tmp_path / "charades-sta")
    argv = ["--tasks", "charades-sta", "--data_root", str(bench), "--output_path", str(tmp_path), "--bootstrap", "0"]
    assert main(["eval", "--model", "tiny-video", "--max_completion_length", "16", *argv]) == 0
    answers = lines(tmp_path / "predictions_charades-sta.jsonl")
    assert [answer["failure"] for answer in answers] == [None, None]
    assert all(answer["response"] for answer in answers)
    assert "video " in (tmp_path / "report.html").read_text()


def test_checkpoint_folder_and_adapter(bench: Path, tmp_path: Path) -> None:
    vlm = models.load("tiny")
    vlm.save(tmp_path / "checkpoint")
    adapter = get_peft_model(vlm.model, LoraConfig(target_modules=["q_proj"], r=2, init_lora_weights=False))
    adapter.peft_config["default"].base_model_name_or_path = str(tmp_path / "checkpoint")
    adapter.save_pretrained(str(tmp_path / "adapter"))
    fingerprints = []
    for name in ("tiny", str(tmp_path / "checkpoint"), str(tmp_path / "adapter")):
        argv = ["--tasks", "screenspot", "--data_root", str(bench), "--output_path", str(tmp_path / "out"), "--bootstrap", "0"]
        assert main(["eval", "--model", name, "--limit", "3", "--max_completion_length", "8", *argv]) == 0
        fingerprints.append(json.loads((tmp_path / "out" / "results.json").read_text())["config"]["model_fingerprint"])
    assert fingerprints[0] == fingerprints[1] != fingerprints[2]


def test_a_dry_run_shows_the_prompt(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["eval", "--tasks", "screenspot", "--data_root", str(bench), "--dry_run"]
    assert main(argv) == 0
    assert "Give the click point as [x, y] in pixels of the original image" in capsys.readouterr().out
    assert main([*argv, "--model", "tiny"]) == 0
    shown = capsys.readouterr().out
    assert "<|image_pad|> (x 64)<|vision_end|>Give the click point as [x, y] in 0-1000 coordinates" in shown
    assert "row mobile:0" in shown


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--model", "tiny", "--gen_kwargs", "top_p=0.5"], "gen_kwargs: top_p: a model in this process takes temperature"),
        (["--model", "tiny", "--gen_kwargs", "temperature=hot"], "gen_kwargs: temperature is a number from 0 on"),
        (["--model", "tiny", "--gen_kwargs", "temperature"], "gen_kwargs: 'temperature' is no key=value"),
        (["--model", "tiny", "--gen_kwargs", "temperature=0", "--num_samples", "2"], "all samples would be the same"),
        (["--model", "tiny", "--model_args", "colour=red"], "model_args: "),
        (["--model", "./nothing"], "no checkpoint at './nothing'"),
        (["--compare", "./nothing", "--model", "tiny"], "compare: nothing holds no results.json"),
        ([], "wants --model, --base_url, or --predictions"),
        (["--predictions", "p.jsonl", "--num_samples", "2"], "--predictions holds one answer to each row"),
    ],
)
def test_bad_command_lines_are_one_sentence(
    bench: Path, capsys: pytest.CaptureFixture[str], flags: list[str], sentence: str
) -> None:
    assert main(["eval", "--tasks", "screenspot", "--data_root", str(bench), *flags]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("vlrl: error: ")]
    assert sentence in line
