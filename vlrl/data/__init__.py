"""Data sources: JSONL rows -> `Sample`, media files -> pixels, and the mixture that draws from several data sets."""

from vlrl.data.errors import MediaError, RowError
from vlrl.data.jsonl import read_samples
from vlrl.data.media import load_image
from vlrl.data.mixture import Mixture
from vlrl.data.row_media import gold_media, load_media
from vlrl.data.video import load_video

__all__ = ["MediaError", "Mixture", "RowError", "gold_media", "load_image", "load_media", "load_video", "read_samples"]
