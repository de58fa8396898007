"""What a component is to be cited as: one value a paper, from which text and BibTeX are made.

references: ClassVar[tuple[Reference, ...]] = (
    Reference(authors="Lipman, Yaron and Chen, Ricky T. Q.", title="Flow Matching ...", year=2023, arxiv="2210.02747"),
)
"""

from __future__ import annotations

import re
import unicodedata

from attrs import frozen

from .config import Hyperparameters
from .errors import ConfigError
from .fields import integer, text

__all__ = ["Reference"]

_SKIPPED = {"a", "an", "the", "on", "of", "for", "in", "to"}
_ESCAPES = str.maketrans({"&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_"})


@frozen(kw_only=True)
class Reference(Hyperparameters):
    """A paper, book or program. At least one of arxiv, doi and url says where it is.

    Raises:
        ConfigError: no place to find it, or authors not written as in BibTeX.
    """

    authors: str = text(doc='As in BibTeX: "Family, Given and Family, Given", or one name of a group.')
    title: str = text(doc="Title.")
    year: int = integer(ge=1600, le=2200, doc="Year of publication.")
    venue: str | None = text(None, optional=True, doc="Journal, proceedings or publisher.")
    arxiv: str | None = text(None, optional=True, doc='arXiv id, such as "2210.02747".')
    doi: str | None = text(None, optional=True, doc='DOI, such as "10.1111/rssb.12345".')
    url: str | None = text(None, optional=True, doc="Address, where there is neither.")

    def __attrs_post_init__(self) -> None:
        if not (self.arxiv or self.doi or self.url):
            raise ConfigError(f"The reference {self.title!r} says nowhere where it is.\nGive: arxiv=, doi= or url=")
        if not self.title.strip() or not self._families():
            raise ConfigError('A reference needs a title and authors, written "Family, Given and Family, Given".')

    @property
    def key(self) -> str:
        """Family name, year and first word of the title: `lipman2023flow`."""
        words = [word for word in re.findall(r"\w+", self.title.lower()) if word not in _SKIPPED]
        return _plain(f"{self._families()[0]}{self.year}{words[0] if words else ''}")

    @property
    def address(self) -> str:
        """Where it is."""
        if self.doi:
            return f"https://doi.org/{self.doi}"
        return f"https://arxiv.org/abs/{self.arxiv}" if self.arxiv else str(self.url)

    def bibtex(self) -> str:
        """The entry for a BibTeX file."""
        rows = {"author": self.authors, "title": f"{{{self.title}}}", "year": str(self.year)}
        rows |= {"journal": self.venue} if self.venue else {}
        rows |= {"eprint": self.arxiv, "archivePrefix": "arXiv"} if self.arxiv else {}
        rows = {name: value.translate(_ESCAPES) for name, value in rows.items()}
        rows |= {"doi": self.doi} if self.doi else {}
        rows |= {"url": self.url} if self.url else {}
        body = "".join(f"  {name} = {{{value}}},\n" for name, value in rows.items())
        return f"@{'article' if self.venue else 'misc'}{{{self.key},\n{body}}}"

    def __str__(self) -> str:
        families = self._families()
        names = families[0] + (" et al." if len(families) > 2 else f" and {families[1]}" if len(families) == 2 else "")
        return f"{names} ({self.year}), {self.title}, {self.address}"

    def _families(self) -> list[str]:
        found = [name.partition(",")[0].strip() for name in self.authors.split(" and ")]
        return [name for name in found if name]

    @classmethod
    def _noun(cls) -> str:
        return "entry"


def _plain(word: str) -> str:
    """Lower-case letters and digits alone: accents are dropped."""
    folded = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]", "", folded.lower())
