"""References become text and BibTeX."""

from __future__ import annotations

import pytest

import sbicore
from sbicore.errors import ConfigError, UnknownHyperparameterError
from sbicore.references import Reference

PAPER = Reference(
    authors="Müller, Jörg and de la Cruz, Ana & Co and Li, X.", title="The art of_waves", year=2021, arxiv="2101.00001"
)


def test_the_key_is_plain_letters_of_family_year_and_first_word():
    assert PAPER.key == "muller2021art"


def test_bibtex_keeps_authors_and_title_and_escapes_what_tex_would_read():
    assert PAPER.bibtex() == (
        "@misc{muller2021art,\n"
        "  author = {Müller, Jörg and de la Cruz, Ana \\& Co and Li, X.},\n"
        "  title = {{The art of\\_waves}},\n"
        "  year = {2021},\n"
        "  eprint = {2101.00001},\n"
        "  archivePrefix = {arXiv},\n}"
    )


def test_a_journal_makes_an_article():
    entry = Reference(authors="Roe, J", title="T", year=1999, venue="Nature", doi="10.1/a_b").bibtex()
    assert entry.startswith("@article{roe1999t,")
    assert "  journal = {Nature},\n  doi = {10.1/a_b},\n}" in entry


@pytest.mark.parametrize(
    ("authors", "text"),
    [
        ("Roe, Jane", "Roe (2000), T, https://arxiv.org/abs/1"),
        ("Roe, Jane and Doe, J", "Roe and Doe (2000), T, https://arxiv.org/abs/1"),
        ("Roe, Jane and Doe, J and Poe, E", "Roe et al. (2000), T, https://arxiv.org/abs/1"),
    ],
)
def test_text_names_one_two_or_the_first_author(authors, text):
    assert str(Reference(authors=authors, title="T", year=2000, arxiv="1")) == text


def test_a_reference_that_cannot_be_found_is_refused():
    with pytest.raises(ConfigError, match=r"says nowhere where it is\.\nGive: arxiv=, doi= or url="):
        Reference(authors="Roe, J", title="T", year=2000)
    with pytest.raises(ConfigError, match="needs a title and authors"):
        Reference(authors=" ", title="T", year=2000, url="https://example.org")
    with pytest.raises(UnknownHyperparameterError, match="no entry 'arxv'; did you mean 'arxiv'"):
        Reference(authors="Roe, J", title="T", year=2000, arxv="1")


def test_sbicore_itself_is_cited_with_its_version():
    assert f"version = {{{sbicore.__version__}}}" in sbicore.cite()
