"""`CITATION.cff` is a valid citation file, says what the code says, and About cites from it."""

from __future__ import annotations

import datetime

import pytest
import yaml
from pages import start

import metademo
from metademo import citation
from metademo.algorithms.papers import ARTICLE, FINN_2017, YU_2018
from metademo.citation import FILE, Work
from metademo.ui.pages import frame

REQUIRED = {"cff-version", "message", "title", "authors"}
ALLOWED = REQUIRED | {
    *{"abstract", "date-released", "doi", "keywords", "license", "references"},
    *{"repository-code", "type", "url", "version"},
}
OF_A_REFERENCE = {
    *{"authors", "collection-title", "conference", "date-published", "end", "notes", "start"},
    *{"title", "type", "url", "volume", "year"},
}
TYPES = {str, int, list, dict, datetime.date}


@pytest.fixture(scope="module")
def entry() -> dict:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def test_the_file_has_what_the_format_asks_for(entry):
    assert entry["cff-version"] == "1.2.0"
    assert REQUIRED <= entry.keys() <= ALLOWED
    assert entry["authors"] == [{"name": "The metademo contributors"}]
    assert {type(value) for value in entry.values()} <= TYPES
    for reference in entry["references"]:
        assert {"authors", "title", "type"} <= reference.keys() <= OF_A_REFERENCE
        assert isinstance(reference["year"], int)


def test_it_is_about_this_version(entry):
    assert entry["version"] == metademo.__version__


def test_it_refers_to_the_same_papers_as_the_algorithms_and_to_the_article():
    works = citation.read().references
    for work, paper in zip(works, (FINN_2017, YU_2018, ARTICLE), strict=True):
        assert (work.title, work.address) == (paper.title, paper.url)
        assert work.year == str(paper.year)
        assert ", ".join(name.split(",")[0] for name in work.authors) == paper.authors


def test_a_work_is_cited_with_what_is_known_of_it():
    known = Work("A title", ("Finn, Chelsea", "A group"), "2017", "1.2", code="https://x.org/code")
    assert known.sentence == (
        "Finn, Chelsea; A group (2017). A title (version 1.2). https://x.org/code"
    )
    assert known.bibtex == (
        "@misc{a,\n  title = {{A title}},\n  author = {Finn, Chelsea and {A group}},\n"
        "  year = {2017},\n  version = {1.2},\n  url = {https://x.org/code},\n}"
    )
    assert Work("A title", year="2018").sentence == "A title (2018)."


@pytest.mark.parametrize("text", ["", "[]", "title: x", "title: x\nauthors: 3", "a: [", "\0"])
def test_what_is_no_citation_file_is_refused(tmp_path, text):
    path = tmp_path / "CITATION.cff"
    path.write_text(text)
    with pytest.raises(ValueError, match="is no citation file"):
        citation.read(path)


def _about(tmp_path, monkeypatch, **changes) -> str:
    """All that About says, with another citation file."""
    entry = yaml.safe_load(FILE.read_text(encoding="utf-8")) | changes
    path = tmp_path / "CITATION.cff"
    path.write_text(yaml.safe_dump(entry))
    monkeypatch.setattr(citation.read, "__defaults__", (path,))
    app = start("about")
    assert not app.exception
    return "\n".join(e.value for e in (*app.markdown, *app.code, *app.warning))


def test_about_says_what_this_is_and_cites_it_from_that_very_file():
    app = start("about")
    assert not app.exception
    assert not app.warning
    said = "\n".join(element.value for element in app.markdown)
    for lead in ("What it is", "Version", "The code", "Where it comes from", "How to cite it"):
        assert f"**{lead}.**" in said
    assert metademo.__version__ in said
    assert "*Meta Learning in PyTorch* (2018)" in said
    assert "(https://arxiv.org/abs/1703.03400)" in said
    work = citation.read()
    assert [element.value for element in app.code] == [work.sentence, work.bibtex]


def test_about_links_to_the_code_if_its_address_is_known(tmp_path, monkeypatch):
    assert "the repository that this server runs" in _about(tmp_path, monkeypatch)
    address = "https://example.org/metademo"
    said = _about(tmp_path, monkeypatch, **{"repository-code": address})
    assert f"<{address}>" in said
    assert "this server runs" not in said


def test_about_survives_a_damaged_citation_file(tmp_path, monkeypatch):
    said = _about(tmp_path, monkeypatch, authors="nobody")
    assert "How to cite it can't be said: CITATION.cff is no citation file" in said
    assert metademo.__version__ in said


def test_the_name_and_the_mark_are_drawings_for_either_ground():
    for path in (frame.MARK, frame.NAME):
        drawing = path.read_text(encoding="utf-8")
        assert drawing.startswith("<svg ")
        assert drawing.count("<circle") == 4
        assert "http" not in drawing.replace("http://www.w3.org/2000/svg", "")
    assert "prefers-color-scheme: dark" in frame.NAME.read_text(encoding="utf-8")
