"""Words of ours: like any str, and made anew from what they are made of."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import asdict

import pytest

from dashboards.shape import Note, Section, listed
from dashboards.words import STATES, kind_of_hit, not_counted

NOTES = [
    Note("Total"),
    Note("sent", "message"),
    Note("{n:,} of {name}", n=1234, name="{n} {oops} {"),
    Note("no clear difference ({p})", p=Note("p = {p:.3f}", p=0.5)),
    listed([Note("repeat"), Note("flood")]),
]


@pytest.mark.parametrize("note", NOTES)
def test_a_copy_is_the_same_note(note: Note) -> None:
    protocols = range(2, pickle.HIGHEST_PROTOCOL + 1)
    copies = [copy.copy(note), copy.deepcopy(note), *(pickle.loads(pickle.dumps(note, each)) for each in protocols)]
    for each in [*copies, asdict(Section(note, []))["title"]]:
        assert type(each) is Note
        assert (str(each), each.template, each.context, each.values) == (
            str(note), note.template, note.context, note.values,
        )  # fmt: skip


def test_a_note_is_its_text_for_everybody_else() -> None:
    note = NOTES[2]
    assert note == "1,234 of {n} {oops} {"
    assert note in {"1,234 of {n} {oops} {"}
    assert json.dumps([STATES["delivered"], note]) == '["delivered", "1,234 of {n} {oops} {"]'


def test_several_words_keep_their_own() -> None:
    assert listed([]) == ""
    assert NOTES[-1] == "repeat, flood"
    assert [str(word) for word in NOTES[-1].values.values()] == ["repeat", "flood"]
    assert not_counted({"hit": 0, "repeat": 1, "seed": 1, "marks": 12}) == "repeat, seed, foreign, expired"
    assert (kind_of_hit("optout", "form"), kind_of_hit("new")) == ("opt-out confirmed on the page", "new")
