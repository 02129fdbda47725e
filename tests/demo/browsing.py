"""What the browser tests share: how Chromium is started, and what a page must look like."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
OWN = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:")
Serve = Callable[..., str]

OVERLAPS = """() => {
  const found = [], shown = item => item.getClientRects().length && getComputedStyle(item).visibility !== 'hidden';
  const lists = ['nav.bar', '.controls', '.cards', '.charts', '.beside', '.split', '.tiles', '.column'];
  for (const list of lists.map(name => name + ' > *')) {
    const groups = new Map();
    for (const item of document.querySelectorAll('.vl ' + list)) {
      if (shown(item)) groups.set(item.parentNode, [...(groups.get(item.parentNode) || []), item]);
    }
    for (const items of groups.values()) items.forEach((a, i) => items.slice(i + 1).forEach(b => {
      const p = a.getBoundingClientRect(), q = b.getBoundingClientRect();
      const wide = Math.min(p.right, q.right) - Math.max(p.left, q.left);
      const high = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
      if (wide > 2 && high > 2) found.push(list + ': ' + a.textContent.slice(0, 30) + ' over ' + b.textContent.slice(0, 30));
    }));
  }
  return found;
}"""
"""Pairs of neighbours whose boxes overlap."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def check_layout(page: Any) -> None:
    """Nothing overlaps, nothing is wider than the window, no text is lost in the ground."""
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    ink, ground = page.evaluate(
        "[getComputedStyle(document.querySelector('.vl')).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert ink != ground
