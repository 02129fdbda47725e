import io

import numpy as np
import pytest
from PIL import Image

from vlrl.metrics.image_similarity import SIZE, Pixels, blank_corrected, blank_similarity, png_pixels, ssim

PATTERN: Pixels = (np.add.outer(np.arange(40), np.arange(60))[..., None] * np.array([1, 2, 3]) % 256).astype(np.uint8)
WHITE = np.full_like(PATTERN, 255)


def png(image: Image.Image) -> bytes:
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def test_ssim_is_that_of_scikit_image() -> None:
    """Values of skimage 0.26: structural_similarity(a, b, channel_axis=2, data_range=255)."""
    other = (PATTERN.astype(int) * 7 // 8 + 5).astype(np.uint8)
    other[10:20, 5:30] = 200
    assert ssim(PATTERN, other) == pytest.approx(0.7486535186619735)
    assert ssim(PATTERN, WHITE) == pytest.approx(0.35612182699662215)


def test_the_image_itself_earns_exactly_1_and_a_blank_page_exactly_0() -> None:
    assert ssim(PATTERN, PATTERN) == blank_corrected(PATTERN, PATTERN) == 1.0
    assert blank_corrected(WHITE, PATTERN) == 0.0


def chart_like(rng: np.random.Generator) -> Pixels:
    """A frame and a few thin lines on white."""
    page = np.full((240, 320, 3), 255, np.uint8)
    page[[20, 220], 30:300] = page[20:220, [30, 299]] = 0
    heights = rng.integers(30, 210, 270)
    page[heights, np.arange(30, 300)] = (31, 119, 180)
    return page


def test_plain_ssim_pays_a_blank_page_and_the_corrected_one_does_not() -> None:
    """The finding of the notes on Plot2Code and SSIM rewards: a blank canvas has about 0.9, and beats a wrong attempt."""
    rng = np.random.default_rng(0)
    gold, wrong = chart_like(rng), chart_like(rng)
    blank = np.full_like(gold, 255)
    assert ssim(blank, gold) > 0.5
    assert blank_corrected(blank, gold) == 0
    assert blank_corrected(wrong, gold) < 0.3


def test_a_blank_gold_is_met_by_a_blank_page_only() -> None:
    assert blank_similarity(WHITE) == 1
    assert (blank_corrected(WHITE, WHITE), blank_corrected(PATTERN, WHITE)) == (1.0, 0.0)


def test_images_of_unequal_size_raise() -> None:
    with pytest.raises(ValueError, match="equal size"):
        ssim(PATTERN, PATTERN[1:])


def test_a_png_lies_on_white_paper_at_the_one_size() -> None:
    pixels = png_pixels(png(Image.new("RGBA", (64, 48), (255, 0, 0, 0))))
    assert pixels.shape == (SIZE[1], SIZE[0], 3)
    assert (pixels == 255).all()


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", png(Image.new("L", (9, 9)))[:40], b"GIF89a" + b"\0" * 99])
def test_what_is_no_png_raises(data: bytes) -> None:
    with pytest.raises(ValueError, match="PNG"):
        png_pixels(data)
