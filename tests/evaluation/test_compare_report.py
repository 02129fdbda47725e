"""Two stored runs against each other, and the reports: right numbers, safe pages."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench_folder import write_screenspot
from scipy import stats

from vlrl.cli import main
from vlrl.cli.eval_report import WORST, _article, worst

ROWS = 60
HOSTILE = '</pre><script>alert(1)</script><img src=x onerror="alert(2)">\u202e | **[x](http://x)** `a`'


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_screenspot(tmp_path_factory.mktemp("bench") / "screenspot", ROWS)


def boxes(bench: Path) -> dict[str, list[float]]:
    found = {}
    for split in ("mobile", "desktop", "web"):
        for number, item in enumerate(json.loads((bench / f"screenspot_{split}.json").read_text())):
            found[f"{split}:{number}"] = item["bbox"]
    return found


def score(bench: Path, out: Path, right: dict[str, bool], *flags: str, wrong: str = "[0, 0]") -> None:
    """Scores predictions that are right exactly where it says so."""
    out.mkdir(exist_ok=True)
    rows = []
    for doc_id, (x, y, w, h) in boxes(bench).items():
        if doc_id in right:
            rows.append({"doc_id": doc_id, "response": f"[{x + w / 2}, {y + h / 2}]" if right[doc_id] else wrong})
    (out / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    argv = ["--tasks", "screenspot", "--data_root", str(bench), "--predictions", str(out / "p.jsonl"), "--output_path", str(out)]
    assert main(["eval", *argv, *flags]) == 0


def draw(bench: Path, seed: int, rate: float) -> dict[str, bool]:
    rng = np.random.default_rng(seed)
    return {doc_id: bool(rng.random() < rate) for doc_id in boxes(bench)}


def test_paired_differences_and_flips(bench: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = draw(bench, 0, 0.4), draw(bench, 1, 0.7)
    score(bench, tmp_path / "old", old)
    score(bench, tmp_path / "new", new, "--compare", str(tmp_path / "old"))
    found = json.loads((tmp_path / "new" / "comparison.json").read_text())["tasks"]["screenspot"]
    assert set(found["gained"]) == {doc_id for doc_id in new if new[doc_id] and not old[doc_id]}
    assert set(found["lost"]) == {doc_id for doc_id in new if old[doc_id] and not new[doc_id]}
    changes = np.array([float(new[doc_id]) - float(old[doc_id]) for doc_id in new])
    value = found["differences"]["value"]
    assert (value["n"], found["unpaired"]) == (ROWS, 0)
    assert value["difference"] == pytest.approx(changes.mean())
    assert value["before"] == pytest.approx(np.mean(list(old.values())))
    assert value["after"] == pytest.approx(np.mean(list(new.values())))
    low, high = value["ci95"]
    oracle = stats.bootstrap((changes,), np.mean, method="percentile", n_resamples=5000, rng=0).confidence_interval
    assert low == pytest.approx(oracle.low, abs=0.12)  # rows of one screen are drawn together here, alone there
    assert high == pytest.approx(oracle.high, abs=0.12)
    mobile = [doc_id for doc_id in new if doc_id.startswith("mobile")]
    expected = np.mean([float(new[doc_id]) - float(old[doc_id]) for doc_id in mobile])
    assert found["differences"]["value/platform:mobile"]["difference"] == pytest.approx(expected)
    out = capsys.readouterr().out
    assert f"right in this run only: {len(found['gained'])} rows; in the other one only: {len(found['lost'])} rows" in out
    report = (tmp_path / "new" / "report.md").read_text()
    assert found["gained"][0] in report


def test_a_run_does_not_differ_from_itself(bench: Path, tmp_path: Path) -> None:
    score(bench, tmp_path / "one", draw(bench, 0, 0.4))
    score(bench, tmp_path / "two", draw(bench, 0, 0.4), "--compare", str(tmp_path / "one"))
    found = json.loads((tmp_path / "two" / "comparison.json").read_text())["tasks"]["screenspot"]
    assert found["differences"]["value"]["ci95"] == [0.0, 0.0]
    assert found["gained"] == found["lost"] == []


def test_a_run_of_fewer_rows_is_compared_over_those(bench: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    score(bench, tmp_path / "one", draw(bench, 0, 0.4), "--limit", "10")
    score(bench, tmp_path / "two", draw(bench, 1, 0.4), "--compare", str(tmp_path / "one"), "--bootstrap", "0")
    found = json.loads((tmp_path / "two" / "comparison.json").read_text())["tasks"]["screenspot"]
    assert found["differences"]["value"]["n"] == 10
    assert "ci95" not in found["differences"]["value"]
    assert found["unpaired"] == ROWS - 10
    (tmp_path / "one" / "samples_screenspot.jsonl").unlink()
    score(bench, tmp_path / "two", draw(bench, 1, 0.4), "--compare", str(tmp_path / "one"))
    assert "has no samples_screenspot.jsonl; screenspot is not compared" in capsys.readouterr().err


class Page(HTMLParser):
    """The tags of a page, their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def hostile(bench: Path, tmp_path: Path) -> Path:
    score(bench, tmp_path, draw(bench, 0, 0.9), wrong=f"{HOSTILE} [20, 20]")
    return tmp_path


def test_the_page_runs_nothing_and_asks_for_nothing(hostile: Path) -> None:
    page = Page((hostile / "report.html").read_text())
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "iframe", "object", "embed", "link", "base", "form"}
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href"):
            assert attributes.get(name, "data:image/") is not None
            assert str(attributes.get(name, "data:image/")).startswith("data:image/"), (tag, attributes)
    assert "alert(1)" in page.text
    assert "\u202e" not in page.text
    policy = next(attributes for tag, attributes in page.tags if attributes.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in str(policy["content"])


def test_the_worst_rows_are_drawn(hostile: Path) -> None:
    lines = [json.loads(line) for line in (hostile / "samples_screenspot.jsonl").read_text().splitlines()]
    lowest = [line["doc_id"] for line in sorted(lines, key=lambda line: line["value"])[:WORST]]
    assert [line["doc_id"] for line in worst(hostile / "samples_screenspot.jsonl")] == lowest
    page = Page((hostile / "report.html").read_text())
    assert sum(tag == "article" for tag, _ in page.tags) == WORST
    assert sum(tag == "image" for tag, _ in page.tags) == WORST
    classes = [str(attributes.get("class")) for _, attributes in page.tags]
    assert sum(name.startswith("gold") for name in classes) == WORST
    wrong = sum(line["value"] == 0 for line in lines)
    assert classes.count("geo") >= min(wrong, WORST)


def test_a_report_without_texts_or_pictures(bench: Path, tmp_path: Path) -> None:
    score(bench, tmp_path, draw(bench, 0, 0.5), "--log_samples", "false")
    assert "the log has no texts" in (tmp_path / "report.html").read_text()
    moved = write_screenspot(tmp_path / "moved", ROWS)
    score(moved, tmp_path, draw(moved, 0, 0.5))
    lines = [json.loads(line) for line in (tmp_path / "samples_screenspot.jsonl").read_text().splitlines()]
    for path in (moved / "screenspot_imgs").iterdir():
        path.unlink()
    assert "the image file is missing" in _article(lines[0])


def test_the_markdown_table_has_the_results(hostile: Path) -> None:
    results = json.loads((hostile / "results.json").read_text())["results"]["screenspot"]
    rows = [line.strip("| ").split(" | ") for line in (hostile / "report.md").read_text().splitlines() if line.startswith("| ")]
    assert rows[0] == ["metric", "value", "95 % interval", "rows"]
    assert rows[1][:2] == ["accuracy", f"{results['accuracy']:.4f}"]
    assert len(rows) - 1 == sum(not name.endswith(("_n", "_ci95")) for name in results)
