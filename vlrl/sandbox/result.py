"""What comes back from a job, and the checks of its form. Nothing is unpickled or run; whatever is not as it should be is a
failure.
"""

from __future__ import annotations

import io
import json
import math
import re
import secrets
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from vlrl.sandbox.job import HEADER, MAX_FACTS, MAX_MESSAGE, MAX_PNG
from vlrl.sandbox.style import HEIGHT, WIDTH

FAILURES = ("exec_error", "timeout", "memory", "no_figure", "output_too_large", "killed", "bad_result", "sandbox_error")
"""The code raised · took too long · took too much memory · drew nothing · drew too much · ended without a report, or by a
signal · reported something malformed · the sandbox itself could not be set up for this job (an error of the machine, not of
the code)."""

MAX_FRAME = HEADER.size + MAX_FACTS + MAX_MESSAGE * 8 + MAX_PNG
MAX_DEPTH = 24
CHUNKS = re.compile(b"IHDR(pHYs)?(IDAT)+IEND")
SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class SandboxResult:
    """The picture and the facts of one program, or why there are none. `facts` is empty and `png` None whenever `failure` is set.

    `facts` are what `figure_facts.collect` found, plus `sandbox`: `size_inches` that the code asked for, `repaired` (library
    functions that the code had replaced and that were put back before the figure was rendered and read), `foreign` (classes
    of artists that the code defined), `shadowed` (methods that it replaced on single artists), and `blank` (the parent found
    one colour only in the picture). Facts and picture are claims by the process that ran the code. With `foreign` and
    `shadowed` empty, forging them takes deliberate work on the interpreter itself (stack frames, the garbage collector, raw
    memory); a reward may pay for them, and refuses `shadowed`.
    """

    png: bytes | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    failure: str | None = None
    message: str = ""
    seconds: float = 0.0


class MalformedError(ValueError):
    """A frame that does not keep to the form."""


def new_secret() -> str:
    """The 16 bytes, as hexadecimal digits, that only the honest end of a job writes first."""
    return secrets.token_hex(16)


def read_frame(frame: bytes, secret: str, seconds: float, pictured: bool = True) -> SandboxResult:
    """A checked result from what a job wrote; one of a reader has no picture."""
    try:
        report, png = _split(frame, bytes.fromhex(secret))
        failure, message = report.get("failure"), clean(report.get("message"))
        if failure is not None:
            return SandboxResult(failure=failure if failure in FAILURES else "bad_result", message=message, seconds=seconds)
        if not pictured:
            return SandboxResult(None, _checked_facts(report.get("facts"), False), None, "", seconds)
        blank = _check_png(png)
        return SandboxResult(png, _checked_facts(report.get("facts"), blank), None, "", seconds)
    except (ValueError, RecursionError) as error:
        return SandboxResult(failure="bad_result", message=clean(str(error)), seconds=seconds)


def clean(message: Any) -> str:
    """A short text on one line, without control characters."""
    words = message if isinstance(message, str) else ""
    return "".join(char if char.isprintable() else " " for char in words[:MAX_MESSAGE])


def _split(frame: bytes, secret: bytes) -> tuple[dict[str, Any], bytes]:
    if len(frame) < HEADER.size or not secrets.compare_digest(frame[: len(secret)], secret):
        raise MalformedError("the answer does not begin as it should")
    _, body, png = HEADER.unpack_from(frame)
    if len(frame) != HEADER.size + body + png or body > MAX_FACTS + MAX_MESSAGE * 8 or png > MAX_PNG:
        raise MalformedError("the answer is not as long as it says")
    text = frame[HEADER.size : HEADER.size + body].decode()
    report = json.loads(text, parse_constant=lambda name: None, parse_float=_finite)
    if not isinstance(report, dict):
        raise MalformedError("the answer is not an object")
    return report, frame[HEADER.size + body :]


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _checked_facts(facts: Any, blank: bool) -> dict[str, Any]:
    if not isinstance(facts, dict) or not isinstance(facts.get("sandbox"), dict):
        raise MalformedError("the facts are not an object")
    facts = _plain(facts, MAX_DEPTH)
    return facts | {"sandbox": facts["sandbox"] | {"blank": blank}}


def _plain(value: Any, depth: int) -> Any:
    """The value with lone surrogates replaced, which no encoder could write."""
    if depth == 0:
        raise MalformedError("the facts are nested too deeply")
    if isinstance(value, dict):
        return {_plain(key, depth): _plain(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, depth - 1) for item in value]
    return SURROGATES.sub("\ufffd", value) if isinstance(value, str) else value


def _check_png(png: bytes) -> bool:
    """Whether the picture has one colour only. Raises MalformedError unless it is a PNG of the one size."""
    if png[:8] != b"\x89PNG\r\n\x1a\n" or not CHUNKS.fullmatch(_chunks(png)):
        raise MalformedError("the picture is no plain PNG")
    try:
        image = Image.open(io.BytesIO(png), formats=["PNG"])
        if image.size != (WIDTH, HEIGHT) or image.mode != "RGBA":
            raise MalformedError("the picture has another size")
        bands = [band.getextrema() for band in image.convert("RGB").split()]
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise MalformedError("the picture cannot be read") from error
    return all(low == high for low, high in bands)


def _chunks(png: bytes) -> bytes:
    """The names of all chunks, in a row; nothing when they do not fill the file."""
    names, at = [], 8
    while at + 12 <= len(png):
        names.append(png[at + 4 : at + 8])
        at += 12 + int.from_bytes(png[at : at + 4], "big")
    return b"".join(names) if at == len(png) else b""
