"""The settings of a run: each described once, checked by that, and what follows from them."""

import json
import math

import numpy as np
import pytest
from helpers import PAIRS, small

from metademo.described import ConfigError, described
from metademo.recipes import RECIPES, configure
from metademo.settings import TrainConfig

SETTINGS = described(TrainConfig)
NUMBERS = [name for name, setting in SETTINGS.items() if setting.numeric]
CHOICES = [name for name, setting in SETTINGS.items() if setting.choices]
every_pair = pytest.mark.parametrize(("algorithm", "family"), PAIRS)


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_every_setting_says_what_it_is(setting):
    assert setting.title[0].islower()
    assert setting.help[0].isupper()
    assert setting.help[-1] == "."
    assert setting.numeric or setting.choices
    if setting.numeric:
        assert math.isfinite(setting.low)
        assert setting.low < setting.by_hand <= setting.high < math.inf
    else:
        assert setting.default is None or setting.default in setting.choices


def test_titles_tell_settings_apart():
    assert len({setting.title for setting in SETTINGS.values()}) == len(SETTINGS)


@every_pair
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_config_goes_through_json_and_back(algorithm, family, recipe):
    config = configure(algorithm, family, recipe, seed=2**60, clip=0.25)
    assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_a_config_is_frozen_and_shapes_its_learner():
    config = small("daml", inner_lr=0.5, inner_steps=2, activation="tanh", loss="mse")
    learner = config.learner
    assert (learner.hidden, learner.inner_lr, learner.inner_steps) == (4, 0.5, 2)
    assert (learner.activation, learner.loss) == ("tanh", "mse")
    with pytest.raises(ValueError, match="frozen"):
        config.steps = 3


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("value", ["nonsense", None, 3], ids=str)
def test_an_unknown_choice_is_named_with_the_known_ones(name, value):
    if (name, value) == ("support_loss", None):  # that of the query loss
        return
    said = rf"^{name} {value!r} is not known: choose from \w"
    with pytest.raises(ConfigError, match=said) as caught:
        TrainConfig.from_dict({name: value})
    assert caught.value.setting == name


def test_a_config_from_before_these_settings_is_what_it_was():
    old = small("daml").to_dict()
    for name in ("support_loss", "learned_loss", "intermediate_weight"):
        del old[name]
    config = TrainConfig.from_dict(old)
    assert config == small("daml")
    learner = config.learner
    assert (learner.support_loss or learner.loss, learner.learned_loss) == ("l1", "absolute")
    assert learner.adaptation_loss.activation == "relu"
    assert config.query_weights(0, 3) is None


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    "value",
    ["3", True, [], float("nan"), float("inf"), -1, 1e300, 10**400],
    ids=["text", "bool", "list", "nan", "inf", "negative", "huge", "beyond floats"],
)
def test_a_number_outside_its_limits_is_named(name, value):
    with pytest.raises(ConfigError, match=f"^{name} must be ") as caught:
        TrainConfig.from_dict({name: value})
    assert caught.value.setting == name
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize("name", NUMBERS)
def test_the_limits_themselves_are_allowed(name):
    kind, low, high = SETTINGS[name].kind, SETTINGS[name].low, SETTINGS[name].high
    classes = dict(family="glyphs", loss="cross-entropy") if name == "ways" else {}
    for value in (low, high):
        assert getattr(TrainConfig.from_dict({name: kind(value)} | classes), name) == value
    if kind is int:
        with pytest.raises(ConfigError, match=name):
            TrainConfig.from_dict({name: float(low) + 0.5})
        with pytest.raises(ConfigError, match=name):
            TrainConfig.from_dict({name: high + 1})


@pytest.mark.parametrize("name", ["momentum", "self", "Described", "a\nb", "x" * 10**6], ids=len)
def test_an_unknown_setting_is_named_with_the_known_ones(name):
    with pytest.raises(ConfigError, match=r"is not a setting: choose from .*outer_lr") as caught:
        TrainConfig.from_dict({name: 0.9})
    assert caught.value.setting.strip("'")[:5] in repr(name)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


def test_a_change_is_checked_like_the_whole():
    config = small("maml")
    assert config.changed(steps=7).to_dict() == config.to_dict() | {"steps": 7}
    with pytest.raises(ConfigError, match=r"^steps must be from 1 to 100,000,000, not 0$"):
        config.changed(steps=0)
    with pytest.raises(ConfigError, match=r"^daml needs a family with a source domain, and finn"):
        small("daml").changed(family="finn")


def test_the_work_of_a_step_grows_with_all_that_makes_it_large():
    config = small("maml", hidden=4, inner_steps=2, meta_batch=3, shots=5, queries=6)
    assert config.step_work == 3 * 3 * 11 * 4**2


def test_daml_draws_its_source_input_afresh_at_each_inner_step():
    config = configure("daml", "two-phase", "original")
    support = config.sample_episodes(np.random.default_rng(0), 50).support
    assert support.y is None
    assert support.x.shape == (50, 5)
    assert all(len(set(row)) == 5 for row in support.x)


def test_a_constant_schedule_is_the_learning_rate_throughout():
    assert (small("maml", steps=7).learning_rates(0, 7) == 0.01).all()


def test_an_outer_rate_may_be_a_whole_number():
    whole, real = (small("maml", schedule="cosine", steps=9, outer_lr=rate) for rate in (1, 1.0))
    np.testing.assert_array_equal(whole.learning_rates(0, 9), real.learning_rates(0, 9))


def test_warm_up_rises_in_a_line_and_cosine_falls_to_zero():
    config = TrainConfig(steps=100, outer_lr=0.2, schedule="cosine", warmup=0.1)
    rates = config.learning_rates(0, 100)
    np.testing.assert_allclose(rates[:10], 0.2 * np.arange(1, 11) / 10)
    cosine = 0.1 * (1 + np.cos(np.pi * np.arange(90) / 90))
    np.testing.assert_allclose(rates[10:], cosine, atol=1e-15)
    np.testing.assert_array_equal(config.learning_rates(5, 42), rates[5:42])
