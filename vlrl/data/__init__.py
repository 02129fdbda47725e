"""Data sources: JSONL rows -> `Sample`, image files -> pixels, and the mixture that draws from several data sets."""

from vlrl.data.errors import MediaError, RowError
from vlrl.data.jsonl import read_samples
from vlrl.data.media import gold_image, load_image, load_images
from vlrl.data.mixture import Mixture

__all__ = ["MediaError", "Mixture", "RowError", "gold_image", "load_image", "load_images", "read_samples"]
