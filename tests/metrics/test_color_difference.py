import numpy as np
import pytest

from vlrl.metrics.color_difference import delta_e_2000, hex_to_lab


@pytest.mark.parametrize(
    ("first", "second", "difference"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1, 2), (50, 0, 0), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, 2.5, 0), (61, -5, 29), 22.8977),
        ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_pairs_of_sharma_wu_and_dalal(first: tuple, second: tuple, difference: float) -> None:
    pair = np.array(first, dtype=float), np.array(second, dtype=float)
    assert delta_e_2000(*pair) == pytest.approx(difference, abs=5e-5)
    assert delta_e_2000(*pair[::-1]) == pytest.approx(difference, abs=5e-5)


@pytest.mark.parametrize(
    ("first", "second", "difference"),
    [
        ("#1f77b4", "#ff7f0e", 52.4335),
        ("#000000", "#ffffff", 100.0),
        ("#d62728", "#c44e52", 9.0944),
        ("#4682b4", "#1f77b4", 4.9202),
        ("#808080", "#7f8081", 0.7108),
    ],
)
def test_hex_colours_as_scikit_image_compares_them(first: str, second: str, difference: float) -> None:
    """Values of skimage.color 0.26: deltaE_ciede2000(rgb2lab(a), rgb2lab(b))."""
    labs = hex_to_lab([first, second])
    assert delta_e_2000(labs[0], labs[1]) == pytest.approx(difference, abs=0.01)


@pytest.mark.parametrize("color", ["red", "#fff", "#gggggg", "#ffffff00", "#1 2 3 "])
def test_another_spelling_raises(color: str) -> None:
    with pytest.raises(ValueError, match=r"rrggbb|hexadecimal"):
        hex_to_lab([color])
