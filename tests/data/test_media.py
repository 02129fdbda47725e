"""Image files -> pixels: every kind of PNG becomes upright RGB, every bad file one clear sentence."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlrl.data import media as media_module
from vlrl.data.errors import MediaError
from vlrl.data.media import load_image
from vlrl.types import Media

ORIENTATION = 0x0112


def load(path: Path) -> Image.Image:
    return load_image(Media("image", str(path)), "rows.jsonl:7")


def save(image: Image.Image, folder: Path, name: str = "a.png", **options: object) -> Path:
    image.save(folder / name, **options)
    return folder / name


def first_pixel(path: Path) -> tuple[int, ...]:
    image = load(path)
    assert image.mode == "RGB"
    return image.getpixel((0, 0))


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("RGB", (10, 20, 30), (10, 20, 30)),
        ("L", 77, (77, 77, 77)),
        ("1", 1, (255, 255, 255)),
        ("I;16", 0x8040, (0x80, 0x80, 0x80)),
        ("RGBA", (10, 20, 30, 255), (10, 20, 30)),
        ("RGBA", (10, 20, 30, 0), (255, 255, 255)),
        ("RGBA", (0, 0, 0, 51), (204, 204, 204)),
        ("LA", (77, 255), (77, 77, 77)),
        ("LA", (77, 0), (255, 255, 255)),
    ],
)
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str, colour: object, expected: tuple[int, ...]) -> None:
    assert first_pixel(save(Image.new(mode, (4, 3), colour), tmp_path)) == expected


def test_palette_with_and_without_transparency(tmp_path: Path) -> None:
    image = Image.new("P", (4, 3), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    assert first_pixel(save(image, tmp_path)) == (200, 100, 50)
    assert first_pixel(save(image, tmp_path, transparency=1)) == (255, 255, 255)


def test_cmyk_jpeg(tmp_path: Path) -> None:
    assert first_pixel(save(Image.new("CMYK", (8, 8), (0, 0, 0, 0)), tmp_path, "a.jpg")) == (255, 255, 255)


def test_sixteen_bit_gradient_is_not_clipped(tmp_path: Path) -> None:
    values = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    image = load(save(Image.fromarray(values), tmp_path))
    assert np.array_equal(np.asarray(image)[..., 0], values >> 8)


def test_floating_point_pixels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="32-bit pixels have no agreed range of brightness"):
        load(save(Image.new("F", (4, 3), 0.5), tmp_path, "a.tiff"))


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # the camera was turned by 90 degrees
    assert load(save(Image.new("RGB", (40, 20), "red"), tmp_path, "a.jpg", exif=exif)).size == (20, 40)


def corrupt(folder: Path, how: str) -> Path:
    buffer = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(buffer, "PNG")
    content = buffer.getvalue()
    broken = {
        "truncated": content[: len(content) // 2],
        "flipped": content[:200] + b"\x00" * 200 + content[400:],
        "header": content[:20] + b"\xff" * 8 + content[28:],
        "text": b"this is no image",
        "empty": b"",
    }
    path = folder / "bad.png"
    path.write_bytes(broken[how])
    return path


@pytest.mark.parametrize("how", ["truncated", "flipped", "header", "text", "empty"])
def test_corrupt_files_fail_here(tmp_path: Path, how: str) -> None:
    path = corrupt(tmp_path, how)
    with pytest.raises(MediaError) as caught:
        load(path)
    assert str(caught.value).startswith(f"rows.jsonl:7: image: {path} cannot be decoded (")
    assert str(caught.value).endswith("; replace the file or drop the row")
    assert "\n" not in str(caught.value)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(MediaError, match=rf"rows.jsonl:7: image: {path} does not exist; mend the path"):
            load(path)


def test_video_is_no_image(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"rows.jsonl:7: video: .* is no image"):
        load_image(Media("video", str(tmp_path / "a.mp4")), "rows.jsonl:7")


@pytest.mark.parametrize("size", [(12_000, 9_000), (20_000, 20_000)])  # above our limit; above Pillow's own
def test_decompression_bombs_are_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    path = save(Image.new("1", size), tmp_path)
    assert path.stat().st_size < 100_000
    with pytest.raises(MediaError, match=r"has more than 100,000,000 pixels; scale it down"):
        load(path)


def test_the_limit_itself_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_module, "MAX_PIXELS", 12)
    assert load(save(Image.new("RGB", (4, 3)), tmp_path)).size == (4, 3)
