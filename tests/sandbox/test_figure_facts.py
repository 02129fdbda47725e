"""Facts of figures drawn here, in this process, by the code below: trusted, unlike what the sandbox runs."""

import json

import matplotlib
import pytest

matplotlib.use("Agg")

from matplotlib import pyplot as plt

from vlrl.metrics.chart import read_chart
from vlrl.metrics.chart_facts import chart_parts
from vlrl.sandbox.figure_facts import collect
from vlrl.sandbox.job import MAX_FACTS

HEAD = "import matplotlib.pyplot as plt\nimport numpy as np\nnp.random.seed(0)\n"


def facts(code: str) -> dict:
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        plt.close("all")
        exec(HEAD + code, {})
        figure = plt.gcf()
        figure.canvas.draw()
        found = collect([figure])
        plt.close("all")
    return json.loads(json.dumps(found, allow_nan=False))


def elements(code: str) -> list[dict]:
    return [element for entry in facts(code)["axes"] for element in entry["elements"]]


def kinds(code: str) -> list[str]:
    return [element["type"] for element in elements(code)]


TYPES = {
    "plt.plot([1, 2]); plt.axhline(1.5); plt.axvline(0.5)": ["hrule", "vrule", "line"],
    "plt.plot([1, 2, 3], 'o')": ["scatter"],
    "plt.scatter([1, 2], [3, 4])": ["scatter"],
    "plt.bar([1, 2], [3, 4])": ["bar"],
    "plt.barh([1, 2], [3, 4])": ["barh"],
    "plt.broken_barh([(1, 2), (4, 1)], (0, 1))": ["barh"],
    "plt.hist(np.random.randn(99))": ["hist"],
    "plt.stairs([1, 2, 3])": ["hist"],
    "plt.pie([1, 2])": ["pie"],
    "plt.boxplot([np.arange(9), np.arange(5)])": ["box"],
    "plt.boxplot([np.arange(9)], orientation='horizontal', patch_artist=True, notch=True, showmeans=True)": ["boxh"],
    "plt.violinplot(np.random.randn(50), showextrema=False)": ["violin"],
    "plt.fill_between([1, 2, 3], [1, 3, 2])": ["area"],
    "x = np.linspace(-3, 3, 50); plt.fill_between(x, np.exp(-x * x))": ["area"],  # its own mirror image, but no violin
    "plt.fill_between(range(30), 0, 1)": ["area"],
    "plt.stackplot([1, 2], [[1, 2], [2, 3]])": ["area", "area"],
    "plt.fill([0, 1, 2], [0, 1, 0])": ["area"],
    "plt.imshow(np.eye(3)); plt.colorbar()": ["heatmap"],
    "plt.imshow(np.zeros((3, 3, 3)))": ["image"],
    "plt.pcolormesh(np.eye(3))": ["heatmap"],
    "plt.hexbin(np.random.randn(99), np.random.randn(99), gridsize=5)": ["hexbin"],
    "plt.contour(np.arange(9).reshape(3, 3))": ["contour"],
    "plt.contourf(np.arange(9).reshape(3, 3))": ["filled contour"],
    "plt.quiver([0, 1], [0, 1], [1, 1], [0, 1])": ["quiver"],
    "plt.barbs([0, 1], [0, 1], [10, 10], [0, 10])": ["quiver"],
    "Y, X = np.mgrid[-3:3:9j, -3:3:9j]; plt.streamplot(X, Y, -1 - X**2 + Y, 1 + X - Y**2)": ["stream"],
    "plt.stem([1, 2], [3, 1])": ["stem"],
    "plt.errorbar([1, 2], [3, 4], yerr=0.5, capsize=3)": ["errorbar", "line"],
    "plt.errorbar([1, 2], [3, 4], yerr=0.5, fmt='o')": ["errorbar", "scatter"],
    "plt.hlines([1, 2], 0, 3)": ["segments"],
    "plt.axis('off'); plt.table(cellText=[['a']])": ["table"],
    "plt.gca().add_patch(plt.Circle((0.5, 0.5), 0.2))": ["shape"],
    "plt.tripcolor([0, 1, 0, 1], [0, 0, 1, 1], [1, 2, 3, 4])": ["mesh"],
    "a = plt.subplot(projection='3d'); a.scatter([1, 2], [3, 4], [5, 6]); a.plot([1, 2], [3, 4], [5, 6])": [
        "scatter3d",
        "line3d",
    ],
    "X, Y = np.meshgrid(range(3), range(3)); plt.subplot(projection='3d').plot_surface(X, Y, X * Y)": ["surface"],
    "X, Y = np.meshgrid(range(3), range(3)); plt.subplot(projection='3d').plot_wireframe(X, Y, X * Y)": ["wireframe"],
    "plt.subplot(projection='3d').bar3d([0, 1], [0, 1], [0, 0], 1, 1, [1, 2])": ["bar3d"],
    "plt.plot([]); plt.bar([], []); plt.scatter([], [])": [],
    "plt.plot([1, 2], visible=False); plt.plot([1, 2], alpha=0); plt.bar([1], [2], color='none')": [],
}


@pytest.mark.parametrize(("code", "expected"), TYPES.items(), ids=TYPES.keys())
def test_types_come_from_the_artists(code: str, expected: list[str]) -> None:
    assert kinds(code) == expected


@pytest.mark.parametrize("code", TYPES, ids=str)
def test_a_figure_is_exactly_itself(code: str) -> None:
    chart = read_chart(facts(code + "; plt.title('T')"))
    assert set(chart_parts(chart, chart).values()) == {1.0}


def test_networks() -> None:
    pytest.importorskip("networkx")
    graph, digraph = (
        "import networkx as nx; nx.draw(nx.path_graph(4), with_labels=True)",
        "import networkx as nx; nx.draw(nx.DiGraph([(0, 1)]))",
    )
    assert (kinds(graph), kinds(digraph)) == (["graph"], ["graph"])
    assert len(elements(graph)[0]["rows"]) == 4 + 3
    assert [text["text"] for text in facts(graph)["texts"]] == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("sns.barplot(x=['a', 'b'], y=[1, 2])", "bar"),
        ("sns.heatmap(np.eye(3), annot=True)", "heatmap"),
        ("sns.boxplot(data=[[1, 2, 3, 4], [2, 3, 4]])", "box"),
        ("sns.histplot(np.random.randn(50))", "hist"),
        ("sns.scatterplot(x=[1, 2], y=[3, 4])", "scatter"),
    ],
)
def test_seaborn(code: str, expected: str) -> None:
    pytest.importorskip("seaborn")
    assert kinds("import seaborn as sns\n" + code) == [expected]


def test_numbers_of_the_elements() -> None:
    assert elements("plt.bar(['a', 'b'], [3, 5], bottom=[1, 2])")[0]["rows"] == [[0, 3, 1, 0.8], [1, 5, 2, 0.8]]
    assert elements("plt.barh(['a', 'b'], [3, 5])")[0]["rows"] == [[0, 3, 0, 0.8], [1, 5, 0, 0.8]]
    assert elements("plt.pie([1, 3])")[0]["rows"] == [[0, 0.25], [1, 0.75]]
    assert elements("plt.boxplot([0, 1, 2, 3, 4])")[0]["rows"] == [[1, 2, 0, 1, 3, 4]]
    assert elements("plt.boxplot([0, 1, 2, 3, 4, 50])")[0]["rows"] == [[1, 2.5, 0, 1.25, 3.75, 4]]
    assert elements("plt.plot([1, float('nan'), 3])")[0]["paths"] == [[[0, 1], [2, 3]]]


def test_heat_maps_run_from_top_to_bottom_as_seen() -> None:
    values = [[0, 1], [2, 3]]
    assert elements(f"plt.imshow({values})")[0]["grid"] == values
    assert elements(f"plt.imshow({values}, origin='lower')")[0]["grid"] == values[::-1]
    assert elements(f"plt.pcolormesh({values})")[0]["grid"] == values[::-1]
    assert elements(f"plt.pcolormesh({values}); plt.gca().invert_yaxis()")[0]["grid"] == values
    assert elements(f"plt.imshow({values}); plt.gca().invert_xaxis()")[0]["grid"] == [[1, 0], [3, 2]]
    assert elements("plt.imshow(np.ma.masked_equal([[0, 1]], 1))")[0]["grid"] == [[0, None]]


@pytest.mark.parametrize(
    ("code", "places"),
    [
        ("plt.bar([5, 6, 7], [1, 2, 3]); plt.xticks([5, 6, 7], ['a', 'b', 'c'])", [0, 1, 2]),
        ("plt.bar(range(3), [1, 2, 3]); plt.xticks(range(3), [2019, 2020, 2021])", [2019, 2020, 2021]),
        ("plt.bar(range(3), [1, 2, 3]); plt.xticks(range(3), ['$5', '$10', '$20'])", [5, 10, 20]),
        ("plt.bar([5, 6, 7], [1, 2, 3]); plt.xticks([5, 7])", [5, 6, 7]),
    ],
)
def test_places_are_read_off_the_tick_labels(code: str, places: list[float]) -> None:
    assert [row[0] for row in elements(code)[0]["rows"]] == pytest.approx(places, abs=1e-9)


def test_colours_are_those_seen_on_white_paper() -> None:
    assert elements("plt.bar([1], [1], color='red', alpha=0.5)")[0]["colors"] == ["#ff8080"]
    assert elements("plt.scatter([1], [1], facecolors='none', edgecolors='k')")[0]["colors"] == ["#000000"]
    assert elements("plt.imshow(np.eye(3), cmap='gray')")[0]["colors"] == ["#000000", "#404040", "#808080", "#c0c0c0", "#ffffff"]


def test_texts_with_their_roles() -> None:
    code = """
f, a = plt.subplots()
a.plot([1, 2], label='North')
a.set(title='T', xlabel='X', ylabel='Y')
a.legend(title='L')
a.annotate('n', (0, 1))
a.text(0, 0, 'hidden', visible=False)
a.set_xticks([0, 1], ['u', 'v'])
f.suptitle('S')
f.text(0, 0, 'F')
"""
    found = facts(code)
    assert {(text["axes"], text["role"], text["text"]) for text in found["texts"]} == {
        (0, "title", "T"), (0, "xlabel", "X"), (0, "ylabel", "Y"), (0, "legend", "L"), (0, "legend", "North"),
        (0, "note", "n"), (None, "title", "S"), (None, "note", "F"), (0, "xtick", "u"), (0, "xtick", "v"),
    }  # fmt: skip
    assert {text["role"] for text in found["ticks"]} == {"ytick"}


LAYOUTS = {
    "plt.subplots(1, 2)": [[0, 0, 0.5, 1], [0.5, 0, 1, 1]],
    "plt.subplot(121); plt.subplot(122)": [[0, 0, 0.5, 1], [0.5, 0, 1, 1]],
    "plt.axes([0.1, 0.1, 0.3, 0.8]); plt.axes([0.6, 0.1, 0.3, 0.8])": [[0, 0, 0.375, 1], [0.625, 0, 1, 1]],
    "plt.axes([0.2, 0.2, 0.5, 0.5])": [[0, 0, 1, 1]],
    "plt.imshow(np.eye(2)); plt.colorbar()": [[0, 0, 1, 1]],
    "f, a = plt.subplots(1, 2); f.colorbar(a[0].imshow(np.eye(2)))": [[0, 0, 0.5, 1], [0.5, 0, 1, 1]],
    "f = plt.figure(); g = f.add_gridspec(2, 2); f.add_subplot(g[0, :]); f.add_subplot(g[1, 1])": [
        [0, 0, 1, 0.5],
        [0.5, 0.5, 1, 1],
    ],
    "f = plt.figure(); g = f.add_gridspec(1, 2)[1].subgridspec(2, 1); f.add_subplot(g[0]); f.add_subplot(g[1])": [
        [0.5, 0, 1, 0.5],
        [0.5, 0.5, 1, 1],
    ],
    "plt.subplots()[1].twinx()": [[0, 0, 1, 1]] * 2,
}


@pytest.mark.parametrize(("code", "rects"), LAYOUTS.items(), ids=LAYOUTS.keys())
def test_layout(code: str, rects: list[list[float]]) -> None:
    assert [entry["rect"] for entry in facts(code)["axes"]] == rects


SAME = {
    "bars in a loop": (
        "plt.bar(['A', 'B'], [3, 5], color=['r', 'g'])",
        "for k, v, c in zip('AB', [3, 5], 'rg'): plt.bar(k, v, color=c)",
    ),
    "numbered categories": ("plt.bar(['A', 'B'], [3, 5])", "plt.bar([1, 2], [3, 5]); plt.xticks([1, 2], ['A', 'B'])"),
    "years as words": (
        "plt.bar([2019, 2020, 2021], [3, 5, 2]); plt.xticks([2019, 2020, 2021])",
        "plt.bar(['2019', '2020', '2021'], [3, 5, 2])",
    ),
    "points by plot": ("plt.scatter([1, 2, 3], [4, 5, 7], color='C0')", "plt.plot([1, 2, 3], [4, 5, 7], 'o')"),
    "points in a loop": (
        "plt.scatter([1, 2], [4, 5], color='C0')",
        "for x, y in [(1, 4), (2, 5)]: plt.scatter(x, y, color='C0')",
    ),
    "histogram by bars": (
        "d = np.random.randn(99); plt.hist(d, bins=8)",
        "h, e = np.histogram(np.random.randn(99), bins=8); plt.bar(e[:-1], h, width=np.diff(e), align='edge')",
    ),
    "error bars": (
        "plt.errorbar([1, 2], [3, 4], yerr=0.5, fmt='-o')",
        "plt.plot([1, 2], [3, 4], '-o'); plt.errorbar([1, 2], [3, 4], yerr=0.5, fmt='none', ecolor='C0')",
    ),
    "legend": ("plt.plot([1, 2], label='a'); plt.legend()", "plt.plot([1, 2]); plt.legend(['a'])"),
    "title of the figure": ("plt.plot([1, 2]); plt.title('T')", "plt.plot([1, 2]); plt.suptitle('T')"),
    "boxes one by one": (
        "plt.boxplot([range(9), range(5)])",
        "plt.boxplot(range(9), positions=[1]); plt.boxplot(range(5), positions=[2])",
    ),
    "sampling": ("x = np.linspace(0, 9, 200); plt.plot(x, np.sin(x))", "x = np.linspace(0, 9, 117); plt.plot(x, np.sin(x))"),
}


@pytest.mark.parametrize(("gold", "other"), SAME.values(), ids=SAME.keys())
def test_the_same_picture_by_different_code_has_the_same_facts(gold: str, other: str) -> None:
    """Named after what trips scorers that count calls: ChartMimic's types and colours are traced per plotting call."""
    assert min(chart_parts(read_chart(facts(other)), read_chart(facts(gold))).values()) > 0.99


def test_facts_are_bounded() -> None:
    code = """
for panel in plt.subplots(7, 7)[1].flat:
    for i in range(9):
        panel.plot(np.random.randn(2000))
        panel.scatter(*np.random.randn(2, 2000))
        panel.text(0, 0, 'x' * 999)
    panel.imshow(np.random.randn(99, 99))
"""
    found = facts(code)
    assert len(json.dumps(found)) < MAX_FACTS
    read_chart(found)
