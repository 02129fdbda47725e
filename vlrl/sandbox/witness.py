"""Which figure a program meant, and what about it looks made to deceive."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Iterator
from typing import Any

LISTED = 20


class Witness:
    """Remembers figures that a program saved or closed, because most programs end with `plt.close()`, some with `plt.clf()`."""

    def __init__(self) -> None:
        self._last: Any = None
        self._saved: list[Any] = []

    def install(self) -> None:
        """Watch matplotlib from now on. Called before the memory of the genuine libraries is made, so that it is part of them."""
        from matplotlib.backend_bases import FigureManagerBase
        from matplotlib.figure import Figure

        savefig, clear = Figure.savefig, Figure.clear

        def noted_savefig(figure: Any, *args: Any, **kwargs: Any) -> None:
            savefig(figure, *args, **kwargs)
            self._last = figure
            self._saved.append(figure)

        def noted_clear(figure: Any, keep_observers: bool = False) -> None:
            self._keep_copy(figure)
            clear(figure, keep_observers)

        def noted_destroy(manager: Any) -> None:
            self._note_closed(manager.canvas.figure)

        for owner, name, noted in (
            (Figure, "savefig", noted_savefig),
            (Figure, "clear", noted_clear),
            (FigureManagerBase, "destroy", noted_destroy),
        ):
            setattr(owner, name, noted)

    def forget(self) -> None:
        """A new program begins."""
        self._last, self._saved = None, []

    def figure(self) -> Any:
        """The current figure; the last one that was saved or closed where it is missing or empty; None when there is none."""
        from matplotlib._pylab_helpers import Gcf
        from matplotlib.figure import Figure

        manager = Gcf.get_active()
        current = manager.canvas.figure if manager is not None else None
        found = [figure for figure in (current, self._last) if isinstance(figure, Figure)]
        return next((figure for figure in found if figure.axes), found[0] if found else None)

    def _note_closed(self, figure: Any) -> None:
        if figure.axes or self._last is None:
            self._last = figure

    def _keep_copy(self, figure: Any) -> None:
        if figure.axes and any(figure is saved for saved in self._saved):
            with contextlib.suppress(Exception):  # what cannot be copied is forgotten
                self._last = pickle.loads(pickle.dumps(figure))


def suspects(figure: Any, known: frozenset[type]) -> dict[str, list[str]]:
    """Artists of classes that no library has (`foreign`), and methods replaced on one artist (`shadowed`).

    >>> from matplotlib.figure import Figure
    >>> suspects(Figure(), frozenset({Figure}))["shadowed"]
    []
    """
    artists = list(_artists(figure))
    foreign = sorted({type.__getattribute__(type(artist), "__name__") for artist in artists if type(artist) not in known})
    shadowed = sorted({name for artist in artists for name in _shadowed(artist)})
    return {"foreign": foreign[:LISTED], "shadowed": shadowed[:LISTED]}


def _artists(root: Any) -> Iterator[Any]:
    todo, seen = [root], {id(root)}
    while todo:
        artist = todo.pop()
        yield artist
        fresh = [child for child in artist.get_children() if id(child) not in seen]
        seen.update(map(id, fresh))
        todo += fresh


def _shadowed(artist: Any) -> Iterator[str]:
    own = object.__getattribute__(artist, "__dict__")
    kind = type(artist)
    for name, value in own.items():
        if callable(value) and callable(getattr(kind, name, None)):
            yield f"{kind.__name__}.{name}"
