"""Run untrusted plotting code, return its figure's picture and facts. What protects whom from what: docs/sandbox.md."""

from __future__ import annotations

from vlrl.sandbox.layers import Layer, level
from vlrl.sandbox.pool import SandboxPool, run, shared
from vlrl.sandbox.process import SandboxError
from vlrl.sandbox.result import FAILURES, SandboxResult

__all__ = ["FAILURES", "Layer", "SandboxError", "SandboxPool", "SandboxResult", "level", "run", "shared"]
