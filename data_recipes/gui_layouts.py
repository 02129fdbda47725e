"""HTML of small app screens: fifteen layout families, light and dark themes, coloured targets among grey elements.

A layout puts *slots* (elements that could be a target) among neutral elements. `screen_html` then paints three to five slots,
each in a colour of its own; the rest stay grey, so that colour alone tells the target. No browser is needed here.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from data_recipes.gui_kit import FIELDS, FLAGS, OPTIONS, Screen, Slot, glyph, theme
from data_recipes.targets import COLOURS, paint

PLACE = re.compile(r"@@(\d+)@@")
"""Where a slot stands in a layout's HTML; the number is the slot's."""

AVATAR = "<div class='avatar'></div>"


def _header(s: Screen) -> str:
    return s.row(s.title(), s.rng.choice((s.icon, s.badge, s.link, s.chip))())


def _option(s: Screen) -> str:
    return s.row(s.rng.choice((s.checkbox, s.radio, s.toggle))(), f"<span class='muted'>{s.rng.choice(OPTIONS)}</span>")


def _grid(columns: int, gap: int, cells: list[str], cls: str = "") -> str:
    return f"<div class='grid {cls}' style='gap:{gap}px;grid-template-columns:repeat({columns},1fr)'>{''.join(cells)}</div>"


def toolbar(s: Screen) -> str:
    icons = s.row(*[s.icon() for _ in range(s.rng.randint(3, 5))])
    page = f"<div class='card grow'>{s.title()}{s.lines(s.rng.randint(1, 3))}{s.link()}</div>"
    parts = [icons, page, s.row(s.badge(), s.button())]
    return "".join(parts if s.rng.random() < 0.7 else reversed(parts))


def dialog(s: Screen) -> str:
    head = s.row(s.title(), s.icon(16), spread="space-between")
    width, right, down = s.rng.randint(100, 116), s.rng.randint(-6, 6), s.rng.randint(-12, 12)
    place = f"width:{width}px;transform:translate({right}px,{down}px)"
    card = f"<div class='card pop' style='{place}'>{head}{s.lines(2)}{_option(s)}{s.row(s.button(), s.button())}</div>"
    return f"<div class='behind'>{s.lines(14)}</div>{card}"


def item_list(s: Screen) -> str:
    rows = []
    for _ in range(s.rng.randint(3, 4)):
        parts = [s.rng.choice((AVATAR, s.checkbox(), s.icon(18))), s.text(2), s.small()]
        rows.append(s.row(*s.rng.sample(parts, 3)))
    return _header(s) + "<hr>".join(rows)


def cards(s: Screen) -> str:
    cells = []
    for _ in range(s.rng.choice((4, 4, 6))):
        inside = s.rng.choice((s.badge, s.chip, s.icon, s.button, s.toggle, s.checkbox))()
        cells.append(f"<div class='card cell'>{s.lines(1)}{inside}</div>")
    return _header(s) + _grid(2 if len(cells) == 4 else 3, 5, cells, "grow" if len(cells) == 4 else "grow tight")


def form(s: Screen) -> str:
    names = s.rng.sample(FIELDS, s.rng.randint(1, 2))
    fields = [f"<div><span class='muted'>{name}</span><div class='input'></div></div>" for name in names]
    option = s.row(s.rng.choice((s.checkbox, s.radio))(), f"<span class='muted'>{s.rng.choice(OPTIONS)}</span>", s.link())
    return s.row(s.title(), s.badge()) + "".join(fields) + option + s.row(s.button(), s.button())


def navigation(s: Screen) -> str:
    icons = [s.icon(s.rng.randint(17, 20)) for _ in range(s.rng.randint(3, 5))]
    bar = f"<div class='bar'>{s.row(*icons, spread='space-around')}</div>"
    picture = f"<div class='picture grow'>{s.row(s.badge(), s.chip())}</div>"
    return picture + s.row(*s.rng.sample([s.text(2), s.button()], 2)) + bar


def tabs(s: Screen) -> str:
    height = s.rng.randint(17, 22)
    strip = f"<div class='row'>{''.join(s.tab(height) for _ in range(3))}</div>"
    body = s.row(*s.rng.sample([AVATAR, s.text(2), s.small()], 3)) + s.row(*s.rng.sample([s.text(2), s.small()], 2))
    return strip + f"<div class='card grow'>{body}</div>" + s.row(s.link(), s.button())


def settings(s: Screen) -> str:
    rows = []
    for name in s.rng.sample(OPTIONS, s.rng.randint(3, 4)):
        control = s.rng.choice((s.toggle, s.toggle, s.checkbox, s.radio, s.chip, s.badge))()
        rows.append(s.row(f"<span>{name}</span>", control, spread=s.rng.choice(("space-between", "space-evenly"))))
    rows.insert(s.rng.randrange(len(rows)), s.row("<span class='muted'>Level</span>", s.slider()))
    return (_header(s) if len(rows) < 5 else "") + "<hr>".join(rows)


def calendar(s: Screen) -> str:
    first, columns = s.rng.randint(1, 3), s.rng.choice((5, 6))
    days = [s.slot("day", str(first + i), "height:16px") for i in range(columns * 4)]
    head = s.row(s.icon(16), s.title(), s.icon(16), spread="space-between")
    return head + _grid(columns, 2, days) + s.row(s.rng.choice((s.link, s.chip, s.toggle))(), s.button())


def keypad(s: Screen) -> str:
    columns, labels = s.rng.choice(((3, "123456789+0="), (4, "789/456*123-")))
    height = s.rng.randint(15, 18)
    keys = [s.slot("key", label, f"height:{height}px") for label in labels]
    shown = f"<div class='input shown'>{s.rng.randint(10, 9999)}</div>"
    return shown + _grid(columns, 3, keys) + s.row(s.button(), s.link())


def player(s: Screen) -> str:
    cover = f"<div class='picture' style='width:{s.rng.randint(40, 56)}px;height:{s.rng.randint(38, 46)}px'>{s.badge()}</div>"
    about = f"<div class='grow'>{s.title()}{s.lines(2)}{s.chip()}</div>"
    keys = []
    for name, low in (("back", 16), (s.rng.choice(("play", "pause")), 22), ("next", 16)):
        side = s.rng.randint(low, low + 5)
        keys.append(s.slot("icon", glyph(name, side // 2), f"width:{side}px;height:{side}px"))
    parts = [s.row(cover, about), s.slider(), s.row(*keys, s.rng.choice((s.icon, s.toggle))())]
    return "".join(parts if s.rng.random() < 0.7 else reversed(parts))


def chat(s: Screen) -> str:
    bubbles = []
    for side in s.rng.sample(("flex-start", "flex-end"), 2):
        inside = s.row(*s.rng.sample([s.text(2), s.rng.choice((s.link, s.chip, s.icon, s.badge))()], 2))
        bubbles.append(f"<div class='card bubble' style='align-self:{side};width:{s.rng.randint(72, 96)}px'>{inside}</div>")
    send = s.row("<div class='input grow'></div>", s.rng.choice((s.icon, s.button))())
    return s.row(AVATAR, s.title(), s.badge()) + "".join(bubbles) + send


def dashboard(s: Screen) -> str:
    count = s.rng.choice((4, 6))
    tiles = []
    for _ in range(count):
        body = f"<div><b>{s.rng.randint(2, 98)}</b><br><small>{s.rng.choice(FLAGS)}</small></div>"
        tiles.append(s.slot("tile", body, f"height:{s.rng.randint(26, 30)}px"))
    parts = [_header(s), _grid(count // 2, 4, tiles), s.row(s.rng.choice((s.chip, s.toggle, s.checkbox))(), s.button())]
    return "".join(s.rng.sample(parts, 3))


def profile(s: Screen) -> str:
    """A centred column, as on a start page."""
    middle = [s.row(s.rng.choice((s.chip, s.badge, s.link))(), s.button(), spread="center"), _option(s)]
    stack = [f"<div class='centre'>{part()}</div>" for part in s.rng.sample((s.button, s.link, s.chip, s.toggle), 2)]
    return f"<div class='centre'>{AVATAR}{s.title()}</div>" + "".join(s.rng.sample(middle + stack, 4))


def sidebar(s: Screen) -> str:
    icons = "".join(s.icon(s.rng.randint(16, 18)) for _ in range(s.rng.randint(4, 5)))
    control = s.rng.choice((s.toggle, s.checkbox, s.radio, s.badge))
    parts = [s.title(), s.lines(2), s.chip(), s.row(s.text(1), control()), s.button()]
    main = f"<div class='column grow'>{''.join(s.rng.sample(parts, 5))}</div>"
    return f"<div class='row whole'><div class='column side'>{icons}</div>{main}</div>"


LAYOUTS: tuple[Callable[[Screen], str], ...] = (
    *(toolbar, dialog, item_list, cards, form, navigation, tabs, settings),
    *(calendar, keypad, player, chat, dashboard, profile, sidebar),
)


def _chosen(slots: list[Slot], rng: random.Random) -> list[int]:
    """Three to five slots to paint, kinds not yet taken first."""
    order = rng.sample(range(len(slots)), len(slots))
    taken: set[str] = set()
    fresh: list[int] = []
    again: list[int] = []
    for index in order:
        (again if slots[index].kind in taken else fresh).append(index)
        taken.add(slots[index].kind)
    return (fresh + again)[: rng.randint(3, 5)]


def _colours(slots: list[Slot], rng: random.Random) -> list[str]:
    """A different colour for each slot; no yellow link, which nobody could read on white."""
    while True:
        names = rng.sample(list(COLOURS), len(slots))
        if not any(slot.kind == "link" and name == "yellow" for slot, name in zip(slots, names, strict=True)):
            return names


def _element(slot: Slot, colour: str | None, rng: random.Random) -> str:
    """The slot as HTML: grey where it has no colour."""
    if colour is None:
        return f"<div class='t {slot.kind}' style='{slot.css}'>{slot.body}</div>"
    red, green, blue = paint(colour, rng)
    on = "#111" if colour in ("yellow", "cyan", "orange", "pink") and rng.random() < 0.6 else "#fff"
    css = f"{slot.css};--c:rgb({red},{green},{blue});--on:{on}"
    return f"<div class='t {slot.kind}' data-kind='{slot.kind}' data-colour='{colour}' style='{css}'>{slot.body}</div>"


def screen_html(rng: random.Random) -> str:
    """One screen as a `<div class="s">` of 128x128 CSS px; painted elements carry `data-colour` and `data-kind`."""
    screen = Screen(rng)
    body = rng.choice(LAYOUTS)(screen)
    shown = sorted({int(index) for index in PLACE.findall(body)})
    chosen = [shown[i] for i in _chosen([screen.slots[i] for i in shown], rng)]
    colours = dict(zip(chosen, _colours([screen.slots[i] for i in chosen], rng), strict=True))
    painted = PLACE.sub(lambda place: _element(screen.slots[int(place[1])], colours.get(int(place[1])), rng), body)
    return f"<div class='s' style='{theme(rng)}'>{painted}</div>"
