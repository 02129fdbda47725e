"""What makes a drawing depend on its code alone: environment, backend, fonts, seeds, and one size in pixels."""

from __future__ import annotations

import contextlib
import importlib
import os
import random
from typing import Any

WIDTH, HEIGHT, DPI = 640, 480, 100
"""Every figure is rendered at this size, whatever size its code asked for."""

WARM = (
    *("matplotlib.pyplot", "mpl_toolkits.mplot3d", "mpl_toolkits.axes_grid1", "pandas", "networkx", "seaborn", "squarify"),
    "matplotlib_venn",
)
"""Imported once by the server, where they are installed."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def environment(folder: str) -> dict[str, str]:
    """All the environment that a drawing process gets: nothing of the user's. `folder` is for matplotlib's cache."""
    fixed = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0"}
    drawing = {"MPLBACKEND": "Agg", "MPLCONFIGDIR": folder, "SOURCE_DATE_EPOCH": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    libraries = {"LD_LIBRARY_PATH": os.environ["LD_LIBRARY_PATH"]} if "LD_LIBRARY_PATH" in os.environ else {}
    return fixed | drawing | dict.fromkeys(THREADS, "1") | libraries


def warm_up() -> None:
    """Import the libraries and draw once, so that a job finds everything ready."""
    for name in WARM:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    use_own_fonts()
    _draw_once()


def use_own_fonts() -> None:
    """Only the fonts that matplotlib brings: the same on every machine."""
    import matplotlib
    from matplotlib import font_manager

    own = os.path.realpath(matplotlib.get_data_path())
    manager = font_manager.fontManager
    for entries in (manager.ttflist, manager.afmlist):
        entries[:] = [entry for entry in entries if os.path.realpath(entry.fname).startswith(own)]


def _draw_once() -> None:
    import matplotlib
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([0, 1], [0, 1], label="abcdefghijklmnopqrstuvwxyz")
    axes.bar([0, 1], [0.2, 0.4])
    axes.set(title="ABCDEFGHIJKLMNOPQRSTUVWXYZ", xlabel="0123456789.,:-", ylabel=r"$x^2$")
    axes.legend()
    render(figure)
    plt.close(figure)
    matplotlib.rcdefaults()


def seed() -> None:
    """The seeds of `random` and numpy, also of generators that ask the system for one."""
    import numpy as np
    from numpy.random import bit_generator

    random.seed(0)
    np.random.seed(0)
    bit_generator.randbits = lambda bits: 0  # type: ignore[attr-defined]


def render(figure: object) -> bytes:
    """The figure as PNG at the one size."""
    import io

    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    assert isinstance(figure, Figure)
    canvas = FigureCanvasAgg(figure)
    figure.set_size_inches(WIDTH / DPI, HEIGHT / DPI)
    figure.set_dpi(DPI)
    matplotlib.rcParams.update({"savefig.bbox": None, "savefig.transparent": False})
    png = io.BytesIO()
    options: dict[str, Any] = {"metadata": {"Software": None}, "pil_kwargs": {"compress_level": 1}}
    canvas.print_figure(png, format="png", dpi=DPI, facecolor="auto", edgecolor="auto", orientation="portrait", **options)
    return png.getvalue()
