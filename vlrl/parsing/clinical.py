"""What a clinical phrase says: canonical terms, sides and other opposites, and what it denies (stdlib only)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from vlrl.parsing.words import normalise, plain_quotes

SYNONYMS = {
    "xray": "x ray, radiograph, radiography, plain film, roentgenogram, rontgenogram, xray image, xr",
    "ct": "computed tomography, computerized tomography, computerised tomography, cat scan, ct scan, ct image",
    "mri": "magnetic resonance imaging, magnetic resonance, mr imaging, mr image, mri scan, mri image, mr",
    "ultrasound": "ultrasonography, sonography, ultrasound image, sonogram",
    "pet": "positron emission tomography, pet scan",
    "axial": "transverse, transaxial",
    "ap": "anteroposterior, antero posterior, anterior posterior",
    "pa": "posteroanterior, postero anterior, posterior anterior",
    "tumor": "tumour", "tumors": "tumours", "edema": "oedema", "hemorrhage": "haemorrhage", "esophagus": "oesophagus",
    "hematoma": "haematoma", "ischemia": "ischaemia", "anemia": "anaemia", "fetus": "foetus", "gray": "grey",
    "cardiomegaly": "enlarged heart, heart enlargement, cardiac enlargement",
    "hepatomegaly": "enlarged liver, liver enlargement",
    "splenomegaly": "enlarged spleen, spleen enlargement",
    "lymphadenopathy": "enlarged lymph nodes, lymph node enlargement",
    "myocardial infarction": "heart attack",
    "hypertension": "high blood pressure",
    "stroke": "cerebrovascular accident, cva",
    "pleural effusion": "effusion of pleura, fluid in pleural space",
    "cholelithiasis": "gallstones, gallbladder stones",
    "nephrolithiasis": "kidney stones, renal stones, renal calculi",
    "left": "lt, left sided, left side",
    "right": "rt, right sided, right side",
    "bilateral": "both sides, both left and right, left and right, right and left",
    "no": "no evidence of, no sign of, no signs of, absence of, negative for, without, free of, denies",
    "absent": "not seen, not present, not visible, not identified, not detected, not observed, not found, ruled out, excluded",
}  # fmt: skip
"""Canonical term -> other ways to say it, both as `vlrl.parsing.words.normalise` writes them."""

OPPOSITES = (
    ("left", "right", "bilateral"), ("upper", "lower", "middle"), ("superior", "inferior"), ("anterior", "posterior"),
    ("medial", "lateral"), ("proximal", "distal"), ("benign", "malignant"), ("normal", "abnormal"), ("acute", "chronic"),
    ("increased", "decreased"), ("dilated", "narrowed"), ("positive", "negative"), ("hypodense", "hyperdense"),
    ("hypoechoic", "hyperechoic"), ("hypointense", "hyperintense"), ("present", "absent"), ("yes", "no"),
)  # fmt: skip
SIDES = OPPOSITES[0]
DENIALS = frozenset({"no", "not", "never", "nor", "neither", "cannot", "isnt", "arent", "doesnt", "wasnt"})
EMPTY_WORDS = frozenset(
    [
        "is",
        "are",
        "was",
        "be",
        "been",
        "there",
        "of",
        "in",
        "on",
        "at",
        "to",
        "with",
        "and",
        "or",
        "it",
        "this",
        "that",
        "seen",
        "any",
        "for",
    ]
)

_CLAUSE = re.compile(r"[.;,!?\n]|\b(?:and|but|however|although|though|while|whereas|except)\b", re.IGNORECASE)
_TERMS = {other: term for term, others in SYNONYMS.items() for other in others.split(", ")}
_TERM = re.compile(r"\b(?:" + "|".join(sorted(map(re.escape, _TERMS), key=len, reverse=True)) + r")\b")


class Claims(NamedTuple):
    """The content words that a phrase affirms, and those that it denies."""

    affirmed: frozenset[str]
    denied: frozenset[str]


def clinical_words(text: str) -> list[str]:
    """The words of a text with synonyms replaced by one term each.

    >>> clinical_words("Enlarged heart on the chest X-ray"), clinical_words("No evidence of a left-sided tumour")
    (['cardiomegaly', 'on', 'chest', 'xray'], ['no', 'left', 'tumor'])
    """
    return _TERM.sub(lambda found: _TERMS[found[0]], normalise(text)).split()


def claims(text: str) -> Claims:
    """What a text affirms and what it denies, clause by clause ("and" starts one, "or" does not).

    A denial ("no", "not", "without") counts for the words behind it in its clause; "absent" and "not seen" for those before.

    >>> said = claims("Fracture is absent, there is no left effusion or mass and the heart is large")
    >>> sorted(said.affirmed), sorted(said.denied)
    (['heart', 'large'], ['effusion', 'fracture', 'left', 'mass'])
    """
    affirmed: set[str] = set()
    denied: set[str] = set()
    for clause in _CLAUSE.split(plain_quotes(text)):
        words = clinical_words(clause)
        start = next((index for index, word in enumerate(words) if word in DENIALS), len(words))
        head = words[:start]
        (denied if "absent" in head else affirmed).update(head)
        denied.update(words[start + 1 :])
    empty = EMPTY_WORDS | DENIALS | {"absent"}
    return Claims(frozenset(affirmed - empty), frozenset(denied - empty))


def opposite_terms(answer: Iterable[str], gold: Iterable[str]) -> bool:
    """True when both name sides of one pair of opposites, and not the same ones. Naming both sides against one is opposite too.

    >>> opposite_terms(["right", "lung"], ["left", "lung"]), opposite_terms(["lung"], ["left", "lung"])
    (True, False)
    >>> opposite_terms(["left", "or", "right", "lung"], ["left", "lung"])
    True
    """
    ours, theirs = frozenset(answer), frozenset(gold)
    return any(pair & ours and pair & theirs and pair & ours != pair & theirs for pair in map(frozenset, OPPOSITES))


def denies(answer: Claims, gold: Claims) -> bool:
    """True when the answer denies what the gold affirms, or affirms what the gold denies.

    >>> denies(claims("no fracture"), claims("fracture")), denies(claims("large fracture"), claims("fracture"))
    (True, False)
    """
    return bool(answer.denied & gold.affirmed or answer.affirmed & gold.denied)
