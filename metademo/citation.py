"""How to cite this project: what `CITATION.cff` says, in words and as BibTeX.

The file is in the Citation File Format 1.2 (https://citation-file-format.github.io), which GitHub,
Zenodo and Zotero read, too. Whoever publishes a copy writes its address there (`repository-code`),
and the app links to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

FILE = Path(__file__).resolve().parents[1] / "CITATION.cff"
ANONYMOUS = "anonymous"
"""What the format has for an author whose name is not known."""


@dataclass(frozen=True)
class Work:
    """Something that can be cited.

    Attributes:
        authors: their names as they are cited, such as "Finn, Chelsea"; none if not known.
        year: "" if not known.
        address: where to read it; "" if not known.
        code: where its code is; "" if not known.
        notes: what it is to the work that refers to it, in a few words.
        references: what it builds on.
    """

    title: str
    authors: tuple[str, ...] = ()
    year: str = ""
    version: str = ""
    address: str = ""
    code: str = ""
    notes: str = ""
    references: tuple[Work, ...] = ()

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Self:
        """The work that an entry of the file describes: its root, or one of its references."""
        released = entry.get("date-released") or entry.get("date-published") or ""
        return cls(
            title=entry["title"],
            authors=tuple(name for name in map(_name, entry["authors"]) if name != ANONYMOUS),
            year=str(entry.get("year") or str(released)[:4]),
            version=str(entry.get("version", "")),
            address=entry.get("url", ""),
            code=entry.get("repository-code", ""),
            notes=entry.get("notes", ""),
            references=tuple(Work.of(one) for one in entry.get("references", ())),
        )

    @property
    def sentence(self) -> str:
        """As a list of references has it.

        >>> Work("A title", ("Finn, Chelsea", "Abbeel, Pieter"), "2017").sentence
        'Finn, Chelsea; Abbeel, Pieter (2017). A title.'
        """
        who = "; ".join(self.authors)
        year = f" ({self.year})" if self.year else ""
        version = f" (version {self.version})" if self.version else ""
        first, then = (f"{who}{year}. ", "") if who else ("", year)
        return f"{first}{self.title}{version}{then}. {self.code or self.address}".strip()

    @property
    def bibtex(self) -> str:
        """As an entry for BibTeX; a name that is one thing, such as a group's, stays one."""
        fields = {
            "title": f"{{{self.title}}}",
            "author": " and ".join(a if "," in a else f"{{{a}}}" for a in self.authors),
            "year": self.year,
            "version": self.version,
            "url": self.code or self.address,
        }
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
        key = self.title.split(":")[0].split()[0].lower()
        return "\n".join([f"@misc{{{key},", *lines, "}"])


def read(path: Path = FILE) -> Work:
    """What a citation file says.

    Raises:
        OSError: where it can't be read.
        ValueError: where it is not a citation file.
    """
    try:
        return Work.of(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path.name} is no citation file: {error}") from error


def _name(author: Mapping[str, str]) -> str:
    """A person's family name first, or the name of a group."""
    if "name" in author:
        return author["name"]
    return f"{author['family-names']}, {author['given-names']}"
