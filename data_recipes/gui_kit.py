"""The parts that small app screens are made of: controls that can be targets, grey elements, themes and the style sheet."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

ICONS: dict[str, str] = {
    "play": "M7 4l13 8-13 8z",
    "pause": "M6 4h4v16H6zM14 4h4v16h-4z",
    "next": "M4 4l10 8-10 8zM16 4h4v16h-4z",
    "back": "M20 4L10 12l10 8zM4 4h4v16H4z",
    "plus": "M10 3h4v7h7v4h-7v7h-4v-7H3v-4h7z",
    "check": "M3 12l3-3 4 4 8-9 3 3-11 12z",
    "close": "M6 3l6 6 6-6 3 3-6 6 6 6-3 3-6-6-6 6-3-3 6-6-6-6z",
    "menu": "M3 4h18v4H3zM3 10h18v4H3zM3 16h18v4H3z",
    "home": "M12 2l10 9h-3v10h-5v-6h-4v6H5V11H2z",
    "heart": "M12 21C4 15 2 11 3 7c1-4 7-5 9 0 2-5 8-4 9 0 1 4-1 8-9 14z",
    "star": "M12 1l3 8h8l-6 5 2 8-7-5-7 5 2-8-6-5h8z",
    "bell": "M12 2c5 0 6 4 6 8 0 4 1 5 3 7H3c2-2 3-3 3-7 0-4 1-8 6-8zM9 19h6l-3 4z",
    "mail": "M2 5h20l-10 8zM2 8l10 8 10-8v11H2z",
    "user": "M12 2a5 5 0 010 10 5 5 0 010-10zM3 22c0-11 18-11 18 0z",
    "flag": "M4 2h3v1h14l-4 5 4 5H7v9H4z",
    "arrow": "M12 3l9 9-9 9v-6H3V9h9z",
    "bin": "M8 2h8v2h5v3H3V4h5zM5 8h14l-1 14H6z",
    "search": "M10 2a8 8 0 016 13l6 5-2 2-6-5A8 8 0 1110 2zm0 4a4 4 0 100 8 4 4 0 000-8z",
}

SPREADS = ("space-between", "space-around", "space-evenly", "space-evenly", "center", "center", "flex-start")

FONTS = ("Liberation Sans", "DejaVu Sans", "Liberation Serif", "Liberation Sans Narrow", "DejaVu Sans Mono")

ACTIONS = (
    "Save",
    "Send",
    "Buy",
    "OK",
    "Open",
    "Next",
    "Add",
    "Join",
    "Start",
    "Pay",
    "Done",
    "Edit",
    "Copy",
    "Share",
    "Yes",
    "Skip",
)
NOUNS = (
    "Home",
    "News",
    "Files",
    "Music",
    "Team",
    "Photos",
    "Tasks",
    "Inbox",
    "Store",
    "Maps",
    "Notes",
    "Trips",
    "Games",
    "Books",
)
FLAGS = ("New", "Sale", "Hot", "Beta", "Live", "Due", "Open", "Paid", "Late", "Pro", "Free", "Draft", "Busy", "Away")
OPTIONS = (
    "Wi-Fi",
    "Sound",
    "Alerts",
    "Sync",
    "Backup",
    "Privacy",
    "Dark mode",
    "Location",
    "Updates",
    "Volume",
    "Camera",
    "Motion",
)
FIELDS = ("Name", "Email", "City", "Phone", "Password", "Title", "Amount", "Code")
LINKS = ("Details", "Forgot?", "Terms", "See all", "Help", "Log in", "More", "Undo")


@dataclass(frozen=True, slots=True)
class Slot:
    """An element that could become a target: its kind, its inner HTML and its own CSS."""

    kind: str
    body: str
    css: str


@dataclass(slots=True)
class Screen:
    """One screen under construction: the random source and the slots so far."""

    rng: random.Random
    slots: list[Slot] = field(default_factory=list)

    def slot(self, kind: str, body: str = "", css: str = "") -> str:
        """A place-holder for a slot; `screen_html` replaces it when it knows which slots are painted."""
        self.slots.append(Slot(kind, body, css))
        return f"@@{len(self.slots) - 1}@@"

    def button(self, css: str = "") -> str:
        width, height = self.rng.randint(30, 50), self.rng.randint(16, 24)
        return self.slot("button", self.rng.choice(ACTIONS), f"width:{width}px;height:{height}px;{css}")

    def icon(self, side: int | None = None) -> str:
        side = side or self.rng.randint(16, 22)
        return self.slot("icon", glyph(self.rng.choice(list(ICONS)), round(side * 0.6)), f"width:{side}px;height:{side}px")

    def toggle(self) -> str:
        height = self.rng.randint(14, 17)
        end = self.rng.choice(("flex-end", "flex-start"))
        knob = f"<i style='width:{height - 4}px;height:{height - 4}px'></i>"
        return self.slot("toggle", knob, f"width:{height * 2 - 3}px;height:{height}px;justify-content:{end}")

    def chip(self) -> str:
        return self.slot("chip", self.rng.choice(NOUNS), f"height:{self.rng.randint(15, 19)}px;padding:0 6px;min-width:26px")

    def badge(self) -> str:
        body = self.rng.choice((str(self.rng.randint(1, 99)), self.rng.choice(FLAGS)))
        return self.slot("badge", body, f"height:{self.rng.randint(14, 16)}px;padding:0 4px;min-width:16px")

    def checkbox(self) -> str:
        side = self.rng.randint(14, 17)
        return self.slot("checkbox", glyph("check", side - 5), f"width:{side}px;height:{side}px")

    def radio(self) -> str:
        side = self.rng.randint(14, 17)
        return self.slot("radio", f"<i style='width:{side - 8}px;height:{side - 8}px'></i>", f"width:{side}px;height:{side}px")

    def link(self) -> str:
        return self.slot("link", self.rng.choice(LINKS), "height:15px;min-width:24px")

    def tab(self, height: int) -> str:
        return self.slot("tab", self.rng.choice(NOUNS), f"height:{height}px;flex:1;min-width:24px")

    def slider(self) -> str:
        """A grey track; its knob is the slot."""
        side = self.rng.randint(14, 18)
        knob = self.slot("knob", "", f"width:{side}px;height:{side}px;margin-left:{self.rng.randint(0, 85)}%")
        return f"<div class='track' style='height:{side}px;padding-right:{side}px'>{knob}</div>"

    def small(self) -> str:
        """Any of the small controls that sit at the end of a row."""
        return self.rng.choice((self.toggle, self.chip, self.badge, self.checkbox, self.radio, self.icon, self.link))()

    def title(self) -> str:
        return f"<b class='title'>{self.rng.choice(NOUNS)}</b>"

    def lines(self, count: int) -> str:
        """Grey bars in place of text."""
        return "".join(f"<div class='line' style='width:{self.rng.randint(45, 100)}%'></div>" for _ in range(count))

    def row(self, *parts: str, spread: str = "") -> str:
        """A row, mirrored now and then; `spread` is its CSS `justify-content`, drawn at random where not given."""
        mirror = "row-reverse" if self.rng.random() < 0.35 else "row"
        spread = spread or self.rng.choice(SPREADS)
        return f"<div class='row' style='flex-direction:{mirror};justify-content:{spread}'>{''.join(parts)}</div>"

    def text(self, count: int) -> str:
        """Grey text that takes the room left in a row."""
        return f"<div class='grow'>{self.lines(count)}</div>"


def glyph(name: str, side: int) -> str:
    return f"<svg width='{side}' height='{side}' viewBox='0 0 24 24'><path d='{ICONS[name]}'/></svg>"


STYLE_SHEET = """
*{box-sizing:border-box;margin:0;padding:0}
body{background:#fff;line-height:0}
.s{position:relative;float:left;width:128px;height:128px;overflow:hidden;background:var(--bg);color:var(--fg);
 font:var(--size)/1.2 var(--font);display:flex;flex-direction:column;justify-content:space-between;gap:3px;padding:var(--pad)}
.row{display:flex;align-items:center;gap:4px;position:relative}
.grow{flex:1;min-width:0}
.grid{display:grid;gap:5px}
.title{font-size:calc(var(--size) + 1.5px);white-space:nowrap}
.muted{color:var(--muted)}
.line{height:3px;border-radius:2px;background:var(--line);margin:3px 0}
hr{border:0;border-top:1px solid var(--line);opacity:.6}
.card{background:var(--card);border:1px solid var(--line);border-radius:var(--radius);padding:5px;
 display:flex;flex-direction:column;justify-content:space-around;align-items:stretch}
.card>.t{align-self:var(--align)}
.cell{overflow:hidden}.cell>.line{align-self:stretch}
.tight .cell{padding:3px}.tight .button,.tight .chip{max-width:100%;padding:0;min-width:0}
.pop{margin:auto;gap:5px;box-shadow:0 3px 12px #0008}
.behind{position:absolute;inset:0;padding:6px;opacity:.5}
.centre{display:flex;flex-direction:column;align-items:center;gap:2px}
.column{display:flex;flex-direction:column;justify-content:space-around;gap:3px}.column>.t{align-self:var(--align)}
.whole{flex:1;align-items:stretch;gap:8px}
.side{background:var(--card);border:1px solid var(--line);border-radius:var(--radius);padding:2px 3px}
.bubble{padding:3px 5px}
.bar{border-top:1px solid var(--line);margin:0 calc(-1*var(--pad)) calc(-1*var(--pad));padding:3px;background:var(--card)}
.picture{background:linear-gradient(135deg,var(--line),var(--dull));border-radius:var(--radius);padding:4px;min-height:30px}
.input{border:1px solid var(--line);background:var(--card);border-radius:calc(var(--radius)/2);height:14px;min-width:30px}
.shown{text-align:right;padding:1px 5px;font-weight:bold}
.avatar{width:18px;height:18px;border-radius:50%;background:var(--line);flex:none}
.track{flex:1;align-items:center;position:relative;display:flex;
 background:linear-gradient(var(--line),var(--line)) center/100% 4px no-repeat}
.t{flex:none;width:fit-content;display:flex;align-items:center;justify-content:center;background:var(--c,var(--dull));color:var(--on,var(--faint));
 white-space:nowrap;overflow:hidden;line-height:1;text-align:center}
.t svg{fill:currentColor;flex:none}
.button,.key,.tile,.tab{border-radius:var(--radius);font-weight:bold;box-shadow:var(--shadow)}
.button,.key,.day{border:var(--edge)}
.icon{border-radius:var(--round)}
.toggle{border-radius:20px;padding:2px}.toggle i{border-radius:50%;background:#fff;box-shadow:0 1px 1px #0005}
.chip,.badge{border-radius:20px}.badge{font-weight:bold}
.checkbox{border-radius:3px}.radio{border-radius:50%}.radio i{border-radius:50%;background:var(--on,var(--card))}
.link{background:none;color:var(--c,var(--muted));font-weight:bold;font-size:10.5px;
 text-decoration:underline 2px;text-underline-offset:1px}
.tab{border-radius:var(--radius) var(--radius) 0 0}.key,.day,.tile{width:auto;min-width:14px}
.day{border-radius:calc(var(--radius)/2)}.knob{border-radius:50%;box-shadow:0 0 0 1px #0003}
"""


def theme(rng: random.Random) -> str:
    """CSS variables of a random light or dark theme; every colour is near-grey (channels at most 6 apart)."""
    dark = rng.random() < 0.4
    hint = rng.randint(-3, 3)

    def grey(level: int) -> str:
        return f"rgb({level - hint},{level},{level + hint})"

    bg = rng.randint(18, 42) if dark else rng.randint(228, 252)
    step = 1 if dark else -1
    card = bg + 14 if dark else 252
    size = rng.choice((7.5, 8, 8.5, 9))
    shades = {"bg": bg, "card": card, "line": bg + step * 34, "dull": bg + step * 44, "fg": 235 if dark else 35}
    shades |= {"muted": 150 if dark else 115, "faint": 190 if dark else 90}
    variables = [f"--{name}:{grey(level)}" for name, level in shades.items()]
    variables += [f"--size:{size}px", f"--font:{rng.choice(FONTS)}", f"--pad:{rng.randint(4, 8)}px"]
    variables += [f"--radius:{rng.choice((1, 3, 5, 8))}px", f"--round:{rng.choice(('50%', '4px', '7px'))}"]
    variables.append(f"--shadow:{rng.choice(('none', '0 1px 2px #0006', '0 2px 3px #0005'))}")
    variables.append(f"--align:{rng.choice(('flex-start', 'center', 'center', 'flex-end'))}")
    variables.append(f"--edge:{rng.choice(('0', '0', '1px solid #0004'))}")
    return ";".join(variables)
