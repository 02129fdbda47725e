"""Layouts of the GUI, grounding and detection benchmarks without a golden folder: what a row holds that is read from them."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from vlrl import benchmarks
from vlrl.benchmarks.lisa_reasonseg import official
from vlrl.benchmarks.rules.masks import gold_mask, read_mask
from vlrl.data.layout import LayoutError
from vlrl.types import Sample, UserError

WIDTH, HEIGHT = 200, 100


def png(width: int = WIDTH, height: int = HEIGHT) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


def write_png(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png())


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist([{"image": {"bytes": png(), "path": None}, **row} for row in rows]), path)


def rows(name: str, folder: Path) -> list[Sample]:
    return list(benchmarks.load(name).load(folder))


def test_gui_odyssey_as_the_authors_annotate_it(tmp_path: Path) -> None:
    def step(name: str, info: Any, box: Any = None) -> dict[str, Any]:
        write_png(tmp_path / "screenshots" / f"77_{len(steps)}.png")
        return {"screenshot": f"77_{len(steps)}.png", "action": name, "info": info, "sam2_bbox": box}

    steps: list[dict[str, Any]] = []
    for name, info, box in (
        ("CLICK", [[500, 500]], [400, 400, 600, 600]),
        ("CLICK", "KEY_APPSELECT", None),
        ("SCROLL", [[500, 800], [510, 200]], None),
        ("TEXT", "Oslo: now", None),
        ("INCOMPLETE", "", None),
    ):
        steps.append(step(name, info, box))
    episode = {"task_info": {"instruction": "find it", "category": "Web_Shopping"}, "steps": steps}
    write_json(tmp_path / "annotations" / "77.json", episode)
    write_json(tmp_path / "splits" / "random_split.json", {"train": [], "test": ["77.json"]})
    found = rows("gui-odyssey", tmp_path)
    assert [row.id for row in found] == [f"GUIOdyssey_random_split_{number}" for number in range(5)]
    assert {row.answer["cluster"] for row in found} == {"77"}
    assert found[0].answer["point"] == [100.0, 50.0]
    assert found[0].answer["box"] == [80.0, 40.0, 120.0, 60.0]
    protocol = benchmarks.load("gui-odyssey").protocol("official")
    said = ("CLICK: (500, 500)", "PRESS_RECENT", "SCROLL: UP", "TYPE: Oslo: now", "IMPOSSIBLE")
    answers = [{**row.answer, "space": "thousandths"} for row in found]
    assert [protocol.score(text, answer).value for text, answer in zip(said, answers, strict=True)] == [1.0] * 5
    # a finger that goes up scrolls down
    strict = benchmarks.load("gui-odyssey").protocol("strict")
    assert strict.score('{"action": "scroll", "direction": "down"}', answers[2]).value == 1.0


def test_gui_odyssey_without_test_episodes_is_one_sentence(tmp_path: Path) -> None:
    write_json(tmp_path / "splits" / "random_split.json", {"train": []})
    with pytest.raises(LayoutError, match="has no list of test episodes"):
        rows("gui-odyssey", tmp_path)


def test_os_atlas_pictures_named_by_another_machine_s_paths(tmp_path: Path) -> None:
    write_png(tmp_path / "screenshots" / "episode_5_screenshot_0.png")
    said = [{"value": "long text\nTask: open it\nHistory: \nNone"}, {"value": "thoughts:\n-\nactions:\nOPEN_APP [Clock]"}]
    row = {"id": 3, "image": "/elsewhere/episode_5_screenshot_0.png", "conversations": said}
    (tmp_path / "ac_test.jsonl").write_text(json.dumps(row) + "\n")
    (sample,) = rows("androidcontrol", tmp_path)
    assert sample.media[0].path == str(tmp_path / "screenshots" / "episode_5_screenshot_0.png")
    assert sample.question == "open it\nHistory: \nNone"
    assert sample.answer["text"] == "Clock"
    assert sample.answer["cluster"] == "episode 5"


def test_screenspot_pro_s_parquet_copy_writes_lists_as_text(tmp_path: Path) -> None:
    row = {"bbox": "[20, 10, 40, 30]", "img_size": f"[{WIDTH}, {HEIGHT}]", "instruction": "go", "ui_type": "icon", "group": "CAD"}
    write_parquet(tmp_path / "data" / "test-00000-of-00001.parquet", [row, {**row, "bbox": "[0.1, 0.1, 0.2, 0.3]"}])
    found = rows("screenspot-pro", tmp_path)
    assert [sample.answer["box"] for sample in found] == [[20.0, 10.0, 40.0, 30.0]] * 2
    assert found[1].id == "1"
    assert found[0].answer["groups"] == {"group": "CAD", "ui_type": "icon"}


def test_osworld_g_s_parquet_copy(tmp_path: Path) -> None:
    row = {"id": "a", "image_size": [WIDTH, HEIGHT], "instruction": "go", "box_type": "bbox", "box_coordinates": [10, 10, 20, 20]}
    write_parquet(tmp_path / "test-00000-of-00001.parquet", [row, {**row, "id": "b", "box_type": "refusal"}])
    found = rows("osworld-g", tmp_path)
    assert found[0].answer["box"] == [10.0, 10.0, 30.0, 30.0]
    assert found[1].answer["kind"] == "refusal"


def test_vlmevalkit_s_tables_of_several_platforms(tmp_path: Path) -> None:
    for name in ("Mobile", "Web"):
        cells = ["7", base64.b64encode(png()).decode(), "go", "[10, 10, 20, 20]", "text"]
        lines = ["\t".join(line) for line in (["index", "image", "question", "bbox", "data_type"], cells)]
        (tmp_path / f"ScreenSpot_{name}.tsv").write_text("\n".join(lines) + "\n")
    found = rows("screenspot", tmp_path)
    assert [sample.id for sample in found] == ["mobile:7", "web:7"]
    assert found[0].answer["box"] == [10.0, 10.0, 30.0, 30.0]


def test_refcoco_s_table_for_one_of_the_three_sets(tmp_path: Path) -> None:
    picture = base64.b64encode(png()).decode()
    head = ["index", "image", "question", "category", "bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2"]
    lines = [head, *(["4", picture, "cup", f"{name} testA", "1", "2", "30", "40"] for name in ("RefCOCO", "RefCOCO+"))]
    (tmp_path / "RefCOCO.tsv").write_text("".join("\t".join(line) + "\n" for line in lines))
    assert [sample.id for sample in rows("refcoco", tmp_path)] == ["RefCOCO_testA_4", "RefCOCO+_testA_4"]
    (plus,) = rows("refcoco-plus", tmp_path)
    assert plus.answer["box"] == [1.0, 2.0, 30.0, 40.0]
    assert rows("refcocog", tmp_path) == []


def test_refcoco_s_parquet_with_several_splits(tmp_path: Path) -> None:
    row = {"question_id": "9", "answer": ["cup", "red cup"], "bbox": [10.0, 10.0, 20.0, 20.0]}
    for split in ("val", "testA"):
        write_parquet(tmp_path / "data" / f"{split}-00000-of-00001.parquet", [row])
    assert [sample.id for sample in rows("refcoco", tmp_path)] == ["val:9:0", "val:9:1", "testA:9:0", "testA:9:1"]


def test_odinw_s_parquet_copy(tmp_path: Path) -> None:
    row = {"categories": ["boat", "Car"], "bboxes": [[1.0, 2.0, 30.0, 40.0]], "labels": [1], "dataset_name": "Aquarium"}
    write_parquet(tmp_path / "data" / "test-00000-of-00001.parquet", [row])
    (sample,) = rows("odinw13", tmp_path)
    assert sample.answer["boxes"] == [{"box": [1.0, 2.0, 30.0, 40.0], "label": "Car"}]
    assert sample.answer["labels"] == ["boat", "car"]


def test_reasonseg_s_parquet_copy_has_the_mask_itself(tmp_path: Path) -> None:
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[10:30, 20:60] = True
    write_parquet(tmp_path / "test-00000-of-00001.parquet", [{"mask": mask.tolist(), "text": "what is it"}])
    (sample,) = rows("lisa-reasonseg", tmp_path)
    assert np.array_equal(gold_mask(sample.answer), mask)
    assert official('{"bbox_2d": [20, 10, 60, 30]}', sample.answer).value == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("text", ['{"size": [2, 4], "counts": [3, 2, 3]}', '{"size": [2, 4], "counts": "323"}'])
def test_run_lengths_in_an_answer(text: str) -> None:
    found = read_mask(f'{{"segmentation": {text}}}', {"image_size": [4, 2]})
    assert found is not None
    assert found.flatten(order="F").tolist() == [0, 0, 0, 1, 1, 0, 0, 0]


@pytest.mark.parametrize("counts", ["[1, 2]", "[-1, 9]", '"~~~~"', '"0"', "[1e9]", "null", '"PPPPPPPPPPPPPPPPPPPP"', "[true, 7]"])
def test_broken_run_lengths_are_no_mask(counts: str) -> None:
    assert read_mask(f'{{"mask": {{"size": [2, 4], "counts": {counts}}}}}', {"image_size": [4, 2]}) is None


def test_a_bad_box_in_the_gold_is_one_sentence(tmp_path: Path) -> None:
    write_json(
        tmp_path / "MIG_data.json", [{"task": "diff", "images": [], "question": "q", "answer": [0.1, 0.2, float("nan"), 1]}]
    )
    with pytest.raises(UserError, match=r"MIG_data\.json:0: answer: a box has finite numbers"):
        rows("mig-bench", tmp_path)


def test_a_wrong_folder_says_what_was_looked_for(tmp_path: Path) -> None:
    for name in ("androidcontrol", "gui-odyssey", "omniact", "refcoco", "lisa-reasonseg", "lisa-grounding", "mig-bench",
                 "flickr30k-entities", "odinw13", "ovdeval", "d3", "screenspot-v2", "screenspot-pro", "osworld-g"):  # fmt: skip
        with pytest.raises(LayoutError, match="holds none of"):
            rows(name, tmp_path)
