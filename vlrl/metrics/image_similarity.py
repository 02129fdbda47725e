"""How alike two images are: structural similarity, and the same corrected for what a blank page would score."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WINDOW = 7
SIZE = (320, 240)
"""Width and height at which renders are compared."""

MAX_PIXELS = 50_000_000

Pixels = NDArray[np.uint8]


def ssim(a: Pixels, b: Pixels) -> float:
    """Mean structural similarity of two images of equal size (height, width, channels) in a 7 x 7 window, in -1..1.

    Source: Wang, Bovik, Sheikh and Simoncelli (2004), K1 = 0.01, K2 = 0.03, uniform window, sample covariance, mean over the
    places where the window fits: the default of scikit-image for 8-bit colour images. Raises ValueError for unequal sizes.

    >>> image = np.arange(300, dtype=np.uint8).reshape(10, 10, 3)
    >>> ssim(image, image)
    1.0
    """
    if a.shape != b.shape:
        raise ValueError(f"images of equal size are needed, not {a.shape} and {b.shape}")
    from scipy.ndimage import uniform_filter

    x, y = a.astype(float), b.astype(float)
    size = (WINDOW, WINDOW, 1)
    mean_x, mean_y, xx, yy, xy = (uniform_filter(values, size) for values in (x, y, x * x, y * y, x * y))
    sample = WINDOW**2 / (WINDOW**2 - 1)
    var_x, var_y, cov = sample * (xx - mean_x * mean_x), sample * (yy - mean_y * mean_y), sample * (xy - mean_x * mean_y)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    above = (2 * (mean_x * mean_y) + c1) * (2 * cov + c2)
    below = (mean_x * mean_x + mean_y * mean_y + c1) * (var_x + var_y + c2)
    edge = WINDOW // 2
    return float((above / below)[edge:-edge, edge:-edge].mean())


def blank_corrected(image: Pixels, gold: Pixels, blank: float | None = None) -> float:
    """max(0, (s - s_blank) / (1 - s_blank)) of the SSIM s, where s_blank is that of a white page, in 0..1.

    A white page has an SSIM of about 0.9 with a chart, an unrelated chart less; here both earn 0. `blank` is the white page's
    SSIM, when known. For a gold image that is itself blank the value is 0, unless the image is equal to it.

    >>> gold = np.full((20, 20, 3), 255, np.uint8); gold[8:12] = 0
    >>> blank_corrected(gold, gold), blank_corrected(np.full_like(gold, 255), gold)
    (1.0, 0.0)
    """
    s_blank = blank_similarity(gold) if blank is None else blank
    similarity = ssim(image, gold)
    if s_blank >= 1:
        return float(np.array_equal(image, gold))
    return max(0.0, (similarity - s_blank) / (1 - s_blank))


def blank_similarity(gold: Pixels) -> float:
    """SSIM of a white page with this image."""
    return ssim(np.full_like(gold, 255), gold)


def png_pixels(data: bytes) -> Pixels:
    """The picture of a PNG on white paper, at the size at which renders are compared.

    Raises ValueError when it is no PNG, or one of more than `MAX_PIXELS`.
    """
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(f"image of {image.width} x {image.height} pixels")
            layers = image.convert("RGBA")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"no PNG: {error}") from error
    page = Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers).convert("RGB")
    return np.asarray(page.resize(SIZE, Image.Resampling.BOX))
