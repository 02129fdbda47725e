"""The pages in the order of their tabs."""

from __future__ import annotations

from demo.pages import Page
from demo.pages.compare import PAGE as COMPARE
from demo.pages.completion import PAGE as COMPLETION
from demo.pages.evaluation import PAGE as EVALUATION
from demo.pages.groups import PAGE as GROUPS
from demo.pages.run import PAGE as RUN
from demo.pages.search import PAGE as SEARCH
from demo.pages.try_page import PAGE as TRY

PAGES: dict[str, Page] = {page.name: page for page in (RUN, GROUPS, COMPLETION, SEARCH, EVALUATION, COMPARE, TRY)}
