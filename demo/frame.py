"""What stands around every page, and the three questions that the page's script asks: show, act, stamp."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from demo.pages import Download, Page, chosen_run
from demo.runs import Runs
from demo.text import notice, safe
from demo.view import View
from vlrl.types import UserError

Answer = TypeVar("Answer")

CARRIED = ("run", "runs", "step", "group")
"""What a tab takes along from the view before."""


class Frame:
    """Answers the browser. Nothing that a run holds makes it raise: what cannot be drawn becomes a sentence."""

    def __init__(self, runs: Runs, pages: Mapping[str, Page]) -> None:
        self.runs, self.pages = runs, pages

    def show(self, query: str) -> dict[str, str]:
        """A whole view: its HTML, title and page name, and the stamp that tells when to ask again."""
        view = View.parse(str(query))
        page = self.pages[view.choice("view", self.pages)]
        stamp = self.stamp(query)
        body = self._guarded(lambda: page.render(self.runs, view))
        html = f'<div class="vl">{self._bar(view, page)}<main>{body}</main></div>'
        return {"html": html, "title": f"{page.title} · {chosen_run(self.runs, view).name}", "page": page.name, "stamp": stamp}

    def act(self, request: Mapping[str, Any]) -> dict[str, str]:
        """What a form or a slow part of a page asks for: HTML, or a file to save."""
        view = View.parse(str(request.get("query", "")))
        action = self.pages[view.choice("view", self.pages)].actions.get(str(request.get("action")))
        given = request.get("fields")
        fields = {str(name): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
        if action is None:
            return {"html": notice("This page knows no such action.", "Reload the page.")}
        answer = self._guarded(lambda: action(self.runs, view, fields))
        return {"download": answer.name, "text": answer.text} if isinstance(answer, Download) else {"html": answer}

    def stamp(self, query: str) -> str:
        """Changes when a view may look different now."""
        return "\n".join(run.stamp() for run in self.runs.values())

    def _guarded(self, work: Callable[[], Answer]) -> Answer | str:
        try:
            return work()
        except (UserError, OSError) as error:
            return notice(str(error))
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            what = f"{type(error).__name__}: {error}"[:300]
            return notice(
                f"This view cannot be drawn ({what}).", "The terminal of vlrl inspect has the details. Please report it."
            )

    def _bar(self, view: View, current: Page) -> str:
        """Tabs, the choice of the run, how far the index is, light and dark."""
        carried = {name: view.values[name] for name in CARRIED if name in view.values}
        tabs = "".join(
            f"<a {View(carried).href(view=page.name)} {'aria-current=page' if page is current else ''}>{safe(page.title)}</a>"
            for page in self.pages.values()
        )
        return (
            f'<nav class="bar" data-part="bar"><b class="brand">vlrl</b><div class="tabs">{tabs}</div>'
            f'<span class="space"></span>{self._progress()}{self._run_choice(view, current)}'
            '<button type="button" class="plain" data-theme title="light or dark">◐</button></nav>'
        )

    def _run_choice(self, view: View, current: Page) -> str:
        chosen = chosen_run(self.runs, view)
        if len(self.runs) == 1:
            return f'<span class="note" title="{safe(chosen.path)}">{safe(chosen.name)}</span>'
        options = "".join(
            f'<option value="{safe(name)}"{" selected" if name == chosen.name else ""}>{safe(name)}</option>'
            for name in self.runs
        )
        return (
            f'<form><input type="hidden" name="view" value="{current.name}">'
            f'<label>run <select name="run" aria-label="run" data-auto>{options}</select></label></form>'
        )

    def _progress(self) -> str:
        amounts = [run.pending() for run in self.runs.values()]
        pending, total = sum(amount[0] for amount in amounts), sum(amount[1] for amount in amounts)
        if pending < max(total / 200, 1):
            return ""
        hint = "search and sums are complete when it is done"
        return f'<span class="badge" title="{hint}">reading rollouts {1 - pending / total:.0%}</span>'
