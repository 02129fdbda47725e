import pytest

from vlrl.parsing.tags import answer_text, is_answer_only, is_think_answer, thought_text


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("", None),
        (" \n ", None),
        (" [1, 2] ", "[1, 2]"),
        ("<answer> A </answer>", "A"),
        ("<answer></answer>", None),
        ("<answer>A</answer> and <answer>B</answer>", "B"),
        ("<answer>A</answer> and <answer>B", "A"),
        ("<answer>A", None),
        ("</answer><answer>A", None),
        ("<answer>A<answer>B</answer>", "B"),
        ("<think>x</think>A", "A"),
        ("<think>x</think>", None),
        ("A <think>x</think> B", "A  B"),
        ("<think>x</think>A<think>y</think>B", "AB"),
        ("<think>x<think>y</think>A", "A"),
        ("<think>x<think>y</think>z</think>A", "A"),
        ("<think><answer>A</answer></think><answer>B</answer>", "B"),
        ("<think><answer>A</answer></think>", None),
        ("<answer><think>x</think>A</answer>", "A"),
    ],
)
def test_answer_text(text: str, answer: str | None) -> None:
    assert answer_text(text) == answer


def test_truncated_thinking_is_never_an_answer() -> None:
    assert answer_text("<think>the box is [1, 2, 3, 4]") is None
    assert answer_text("<answer>[1, 2, 3, 4]</answer><think>or") is None
    assert answer_text("<think>a</think><think><answer>[1, 2, 3, 4]</answer>") is None


def test_thinking_whose_opening_tag_stood_in_the_prompt_is_dropped() -> None:
    assert answer_text("perhaps [1, 2]</think>[3, 4]") == "[3, 4]"


@pytest.mark.parametrize(
    ("text", "well_formed"),
    [
        ("<think>x</think><answer>A</answer>", True),
        (" <think>x</think>\n<answer>A</answer> \n", True),
        ("<think>line\nline</think><answer>{}</answer>", True),
        ("<think> </think><answer>A</answer>", False),
        ("<think>x</think><answer> </answer>", False),
        ("<answer>A</answer><think>x</think>", False),
        ("<think>x</think>A", False),
        ("<answer>A</answer>", False),
        ("so <think>x</think><answer>A</answer>", False),
        ("<think>x</think> so <answer>A</answer>", False),
        ("<think>x</think><answer>A</answer>.", False),
        ("<think>x<answer>A</answer></think>", False),
        ("<think>x</think><answer>A</answer><answer>B</answer>", False),
        ("<think>x</think><think>y</think><answer>A</answer>", False),
        ("</think><think><answer>A</answer>", False),
        ("", False),
    ],
)
def test_think_answer_form(text: str, well_formed: bool) -> None:
    assert is_think_answer(text) is well_formed


@pytest.mark.parametrize(
    ("text", "well_formed"),
    [
        ("A", True),
        ("<answer>A</answer>", True),
        (" <answer> A </answer> ", True),
        ("", False),
        (" ", False),
        ("<answer> </answer>", False),
        ("<answer>A", False),
        ("A</answer>", False),
        ("</answer>A<answer>", False),
        ("so <answer>A</answer>", False),
        ("<answer>A</answer><answer>B</answer>", False),
        ("<think>x</think>A", False),
        ("x</think>A", False),
    ],
)
def test_answer_only_form(text: str, well_formed: bool) -> None:
    assert is_answer_only(text) is well_formed


@pytest.mark.parametrize(
    ("text", "thought"),
    [
        ("", None),
        ("5", None),
        ("<think></think>5", None),
        ("<think> a </think>5", "a"),
        ("a</think>5", "a"),  # the opening tag stood in the prompt
        ("<think>a", "a"),
        ("<think>a</think>b<think>c</think>5", "a b c"),
        ("5 <answer>6</answer>", None),
    ],
)
def test_thought_text(text: str, thought: str | None) -> None:
    assert (" ".join((thought_text(text) or "").split()) or None) == thought
