"""Descriptions of settings: read back whole, and faults as sentences about them."""

import json
import pickle
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, model_validator

from metademo.described import ByHand, ConfigError, Described, OneOf, described, titled

COLOURS = {"red": 1, "green": 2}


class Toy(Described):
    """One setting of each kind."""

    size: Annotated[int, ByHand(9)] = Field(3, ge=1, le=4096, title="size N", description="Of it.")
    rate: float | None = Field(None, ge=0, title="rate α", description="How fast.")
    colour: Annotated[str, OneOf(COLOURS)] | None = Field("red", title="colour")
    loud: bool = Field(False, title="loud")

    @model_validator(mode="after")
    def _goes_together(self) -> "Toy":
        if self.loud and self.colour == "green":
            raise ConfigError("can't be green", "loud")
        return self


def _fault(**values) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        Toy(**values)
    return caught.value


def test_a_description_is_read_back():
    size, rate, colour, loud = described(Toy).values()
    assert (size.kind, size.optional, size.default, size.low, size.high) == (int, False, 3, 1, 4096)
    assert (size.title, size.symbol, size.help, size.by_hand) == ("size N", "N", "Of it.", 9)
    assert (size.range, size.range_to(9)) == ("from 1 to 4,096", "from 1 to 9")
    assert (rate.kind, rate.optional, rate.range) == (float, True, "zero or more")
    assert (colour.kind, colour.optional, list(colour.choices)) == (str, True, ["red", "green"])
    assert (loud.kind, loud.numeric) == (bool, False)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("size", 0, "must be from 1 to 4,096, not 0"),
        ("size", 2.0, "must be a whole number, not 2.0"),
        ("size", True, "must be a whole number, not True"),
        ("size", None, "must be a whole number, not None"),
        ("rate", -0.5, "must be zero or more, not -0.5"),
        ("rate", float("nan"), "must be zero or more, not nan"),
        ("rate", "5", "must be a number, not '5'"),
        ("colour", "blue", "'blue' is not known: choose from red, green"),
        ("loud", 1, "must be true or false, not 1"),
        ("hue", 1, "is not a setting: choose from size, rate, colour, loud"),
        ("loud", None, "must be true or false, not None"),
    ],
)
def test_a_fault_names_its_setting_and_what_would_do(name, value, problem):
    fault = _fault(**{name: value})
    assert (fault.setting, fault.problem) == (name, problem)
    assert str(fault) == f"{name} {problem}"
    assert fault.about("--it") == f"--it {problem}"
    assert str(pickle.loads(pickle.dumps(fault))) == str(fault)


def test_settings_that_do_not_go_together_are_a_fault_of_one():
    assert str(_fault(loud=True, colour="green")) == "loud can't be green"


def test_a_page_calls_a_setting_by_its_title():
    assert titled(Toy, _fault(size=0)) == "size N must be from 1 to 4,096, not 0"
    assert titled(Toy, ConfigError("all of it is wrong")) == "all of it is wrong"


def test_choices_are_those_of_the_moment(monkeypatch):
    assert _fault(colour="blue").setting == "colour"
    monkeypatch.setitem(COLOURS, "blue", 3)
    assert Toy(colour="blue").colour == "blue"
    assert "blue" in described(Toy)["colour"].choices


def test_numbers_are_read_from_text():
    settings = described(Toy)
    assert settings["size"].read("-7") == -7, "the range is not looked at"
    assert settings["rate"].read("none") is None
    with pytest.raises(ConfigError, match=r"^size must be a whole number, not 'none'$"):
        settings["size"].read("none")


def test_values_in_words():
    settings = described(Toy)
    words = [settings["rate"].in_words(value) for value in (0.03, 1e6, 1.0, None)]
    assert words == ["0.03", "1,000,000", "1", "none"]
    assert settings["size"].in_words(4096) == "4,096"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*described(Toy), "other"]) | st.text(), JSON))
def test_any_json_is_settings_or_a_fault_on_one_short_line(values):
    try:
        toy, fault = Toy.from_dict(values), None
    except ConfigError as reason:
        toy, fault = None, reason
    if fault:
        assert fault.setting
        assert str(fault).isprintable()
        assert len(str(fault)) < 200
    else:
        assert Toy.from_dict(json.loads(json.dumps(toy.to_dict()))) == toy
