"""What the parent makes of a job's bytes: every malformed frame is a failure, none raises."""

from __future__ import annotations

import io
import json
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vlrl.sandbox.job import HEADER
from vlrl.sandbox.result import MAX_MESSAGE, SandboxResult, clean, new_secret, read_frame
from vlrl.sandbox.style import HEIGHT, WIDTH

SECRET = new_secret()


def png(size: tuple[int, int] = (WIDTH, HEIGHT), mode: str = "RGBA", colour: str = "white", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, "PNG", **options)
    return file.getvalue()


def frame(body: bytes, picture: bytes, secret: str = SECRET) -> bytes:
    return HEADER.pack(bytes.fromhex(secret), len(body), len(picture)) + body + picture


def read(body: Any, picture: bytes | None = None) -> SandboxResult:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_frame(frame(raw, png() if picture is None else picture), SECRET, 0.5)


def facts(**more: Any) -> dict[str, Any]:
    return {"failure": None, "facts": {"sandbox": {}, **more}}


def test_a_good_frame() -> None:
    result = read(facts(texts=["a", 1, 1.5, None, True]))
    assert (result.failure, result.message, result.seconds, result.png) == (None, "", 0.5, png())
    assert result.facts == {"sandbox": {"blank": True}, "texts": ["a", 1, 1.5, None, True]}


def test_a_picture_of_two_colours_is_not_blank() -> None:
    image = Image.new("RGBA", (WIDTH, HEIGHT), "white")
    image.putpixel((3, 3), (255, 255, 254, 255))
    file = io.BytesIO()
    image.save(file, "PNG")
    assert read(facts(), file.getvalue()).facts["sandbox"]["blank"] is False


def test_the_jobs_own_word_on_blankness_is_overruled() -> None:
    assert read({"failure": None, "facts": {"sandbox": {"blank": False}}}).facts["sandbox"]["blank"] is True


def test_a_failure_and_its_message() -> None:
    result = read({"failure": "exec_error", "message": "a\nb\x1b[31m" + "x" * 1000}, b"")
    assert (result.failure, result.png, result.facts) == ("exec_error", None, {})
    assert result.message.startswith("a b [31mx")
    assert len(result.message) == MAX_MESSAGE


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"failure": null}',
        b'{"failure": null, "facts": []}',
        b'{"failure": null, "facts": {"sandbox": 1}}',
        b'{"failure": null, "facts": {"sandbox": {}, "x": ' + b"[" * 60 + b"]" * 60 + b"}}",
        b'{"failure": null, "facts": {"sandbox": {}, "x": ' + b"9" * 5000 + b"}}",
        b'{"failure": "paid", "message": "a code that is not there"}',
        b'{"failure": 3}',
        b'{"failure": ["exec_error"]}',
    ],
)
def test_malformed_json(body: bytes) -> None:
    assert read(body).failure == "bad_result"


@pytest.mark.parametrize(
    "picture",
    [
        b"",
        b"BREACH",
        png()[:-20],
        png()[:100],
        png((10, 10)),
        png(mode="L"),
        png()[:8] + b"\0\0\0\0" * 10,
        png()[:33] + (0xFFFFFFFF).to_bytes(4, "big") + b"IDAT" + png()[41:],
        png().replace(b"IEND", b"IEnD"),
        b"GIF89a" + png(),
    ],
)
def test_malformed_pictures(picture: bytes) -> None:
    assert read(facts(), picture).failure == "bad_result"


def test_chunks_beyond_the_picture_are_refused() -> None:
    text = b"zTXtk\0\0" + zlib.compress(bytes(1 << 20))
    chunk = (len(text) - 4).to_bytes(4, "big") + text + zlib.crc32(text).to_bytes(4, "big")
    assert read(facts(), png()[:33] + chunk + png()[33:]).failure == "bad_result"


def test_the_secret_comes_first() -> None:
    body = json.dumps(facts()).encode()
    assert read_frame(frame(body, png(), new_secret()), SECRET, 0.0).failure == "bad_result"
    assert read_frame(b"x" + frame(body, png()), SECRET, 0.0).failure == "bad_result"
    assert read_frame(frame(body, png()) + b"x", SECRET, 0.0).failure == "bad_result"


def test_numbers_that_are_none() -> None:
    result = read(b'{"failure": null, "facts": {"sandbox": {}, "x": [NaN, Infinity, -Infinity, 1e999, 1e3]}}')
    assert result.facts["x"] == [None, None, None, None, 1000.0]


def test_lone_surrogates_can_be_written() -> None:
    result = read(b'{"failure": null, "facts": {"sandbox": {}, "\\ud800": ["\\udfff"]}}')
    assert json.dumps(result.facts, ensure_ascii=False).encode()
    assert result.facts["\ufffd"] == ["\ufffd"]


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_no_bytes_raise(noise: bytes) -> None:
    assert read_frame(noise, SECRET, 0.0).failure == "bad_result"
    assert read_frame(frame(noise, noise), SECRET, 0.0).failure == "bad_result"
    assert read(facts(), png()[:60] + noise + png()[60 + len(noise) :]).failure in (None, "bad_result")


@given(st.text())
def test_messages_are_one_printable_line(text: str) -> None:
    assert clean(text).isprintable()
