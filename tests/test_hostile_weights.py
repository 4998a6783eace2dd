"""Hostile weights files, both ways in; the long form is `python -m tests.hostile_weights`."""

from __future__ import annotations

import hashlib
import os

import pytest
from hostile_weights import (
    MEGABYTES,
    WAYS,
    Fault,
    Mutator,
    Tally,
    check_sentence,
    good_files,
    judge,
    long_corpus,
    mutations,
    outcome_of,
    peak,
    warm_up,
)

MUTATIONS, SEED = 300, 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    warm_up(folder)
    return folder


def test_no_bad_file_does_harm(folder):
    """Whatever comes of it, it is quick, small and said in a sentence. Few of them can be used."""
    tally, bad = Tally(), list(long_corpus())
    before = peak()  # with the whole corpus in memory: what comes on top is what a file takes
    for name, data in bad:
        judge(name, data, folder, tally)
    assert not tally.faults
    assert peak() - before < MEGABYTES
    assert sum(tally.outcomes.values()) == 2 * len(bad) > 1_500
    for way in WAYS:
        assert tally.outcomes[f"{way}: refused"] > 0.9 * len(bad)


def test_no_mutation_does_harm(folder):
    tally, before = Tally(), peak()
    for name, data in mutations(MUTATIONS, SEED):
        judge(name, data, folder, tally)
    assert not tally.faults
    assert peak() - before < MEGABYTES
    for way in WAYS:  # a fuzzer whose files are all good, or all bad at once, finds nothing
        assert tally.outcomes[f"{way}: loaded"] > 0.02 * MUTATIONS
        assert tally.outcomes[f"{way}: refused"] > 0.5 * MUTATIONS


def test_a_mutation_can_be_made_again():
    def digest(seed):
        mutator = Mutator(seed)
        return hashlib.sha256(b"".join(mutator(n) for n in range(20))).hexdigest()

    assert digest(1) == digest(1) != digest(2)


@pytest.mark.parametrize("name", ["maml-two-phase", "sequential"])
def test_what_is_mutated_is_good(name, folder):
    tally = Tally()
    judge(name, good_files()[name], folder, tally)
    assert not tally.faults
    assert tally.outcomes["uploaded: loaded"] == 1


def _runs_code(data, path):
    os.system("")


def _writes(data, path):
    path.write_bytes(b"")


def _fails(data, path):
    raise KeyError("a")


@pytest.mark.parametrize(
    ("way", "said"), [(_runs_code, "os.system"), (_writes, "open"), (_fails, "KeyError")]
)
def test_a_way_in_that_does_more_than_it_may_is_found_out(way, said, tmp_path):
    with pytest.raises(Fault, match=said):
        outcome_of(way, b"", tmp_path / "file")


@pytest.mark.parametrize("said", ["", "x" * 2_000, "a bell \a in a sentence", "Traceback (most"])
def test_what_is_no_plain_sentence_is_found_out(said):
    with pytest.raises(Fault):
        check_sentence(said)
