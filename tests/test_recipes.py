"""Recipes: the article's settings, and what an algorithm or a family needs different."""

import pytest

from metademo.described import ConfigError
from metademo.recipes import configure, recipes_for


def test_recipe_original_has_the_settings_of_the_article():
    for algorithm in ("maml", "daml"):
        config = configure(algorithm, "two-phase", "original")
        settings = config.to_dict()
        del settings["algorithm"], settings["seed"]
        assert settings == dict(
            family="two-phase",
            hidden=32,
            inner_steps=5,
            inner_lr=0.03,
            step_size="fixed",
            loss="l1",
            support_loss=None,
            learned_loss="absolute",
            intermediate_weight=0.0,
            initialisation="fan-in",
            activation="relu",
            shots=4,
            fewest_shots=None,
            ways=None,
            queries=4,
            meta_batch=1,
            steps=275_000,
            optimizer="sgd",
            outer_lr=0.01,
            schedule="constant",
            warmup=0.0,
            clip=None,
            skips=0,
        )


def test_recipe_fast_is_the_default_and_uses_adam_on_a_meta_batch():
    config = configure("maml", "two-phase")
    assert config == configure("maml", "two-phase", "fast")
    assert (config.optimizer, config.schedule) == ("adam", "cosine")
    assert config.meta_batch > 1
    assert config.clip is not None


def test_each_family_has_recipes_and_any_may_be_tried_on_another():
    assert recipes_for("two-phase") == recipes_for("any-phase") == ["original", "fast", "best"]
    assert recipes_for("finn") == ["fast", "finn", "finn-best"]
    config = configure("maml", "two-phase", "finn")
    assert (config.family, config.loss, config.hidden) == ("two-phase", "mse", 40)


def test_recipes_know_what_a_family_and_an_algorithm_need_different():
    for recipe in ("fast", "best"):
        for algorithm in ("maml", "fomaml", "anil", "maml++"):
            inner = {
                family: (config.support_loss, config.loss, config.inner_lr)
                for family in ("two-phase", "any-phase")
                for config in [configure(algorithm, family, recipe)]
            }
            assert inner == {"two-phase": (None, "l1", 0.03), "any-phase": ("mse", "l1", 0.01)}
        for family in ("two-phase", "any-phase"):
            daml = configure("daml", family, recipe)
            shorter = recipe == "best" and family == "any-phase"
            assert (daml.learned_loss, daml.inner_lr) == ("squared", 0.02 if shorter else 0.03)
            assert daml.intermediate_weight == (0.1 if recipe == "best" else 0.0)
            assert configure("pretrained", family, recipe).loss == "mse"
    assert configure("maml", "any-phase", "original").support_loss is None
    assert configure("daml", "any-phase", "original").learned_loss == "absolute"
    assert configure("reptile", "finn", "finn").inner_steps == 8


def test_an_unknown_recipe_is_named_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"^recipe 'slow' is not known.*original") as caught:
        configure("maml", "two-phase", "slow")
    assert caught.value.setting == "recipe"
