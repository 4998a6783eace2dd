"""Settings that a host makes in the environment of a server."""

from __future__ import annotations

from pydantic_settings import BaseSettings, SettingsConfigDict

from metademo.described import Described

PREFIX = "METADEMO_"


class FromEnvironment(Described, BaseSettings):
    """Settings that are read from the environment: METADEMO_MAX_RUNNING sets `max_running`, etc.

    Raises:
        ConfigError: naming the variable, if its value can't be used.
    """

    # The environment holds text only, so here numbers may be written as text.
    model_config = SettingsConfigDict(env_prefix=PREFIX, strict=False)

    @classmethod
    def name_of(cls, setting: str) -> str:
        return PREFIX + setting.upper()
