"""Every limit of the service, where it was set, and its default."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from unmist.cache import ENTRIES
from unmist.errors import InputError, UsageError

PREFIX: Final = "UNMIST_SERVE_"
SHARED_MODEL: Final = "UNMIST_MODEL"  # that of every verb; all that is said to this one beats it
LEAST_KEY: Final = 16  # characters; a shorter key can be guessed over a network

Port = Annotated[int, Field(ge=0, le=65_535)]
Positive = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


class Settings(BaseSettings):
    """Frozen settings. A flag beats ``UNMIST_SERVE_NAME``, which beats the TOML file.

    Sizes are bytes, times are seconds.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: Port = 8080
    model: Path | None = None
    precision: str = "auto"
    threads: Positive | None = None
    cache: Annotated[int, Field(ge=0)] = ENTRIES
    adapter_folder: Path | None = None
    metrics_host: str = "127.0.0.1"
    metrics_port: Port | None = None
    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    max_body_bytes: Positive = 2 << 20
    max_inputs: Positive = 2048
    max_explained: Positive = 64
    max_text_bytes: Positive = 8 << 10
    max_in_flight: Positive = 512
    max_queue_bytes: Positive = 64 << 20
    max_connections: Positive = 1024
    max_header_bytes: Annotated[int, Field(ge=256)] = 8 << 10
    max_json_depth: Positive = 16
    deadline_seconds: Seconds = 30.0
    header_seconds: Seconds = 10.0
    body_seconds: Seconds = 10.0
    write_seconds: Seconds = 30.0
    keep_alive_seconds: Annotated[int, Field(ge=1, le=3600)] = 5
    drain_seconds: Seconds = 30.0
    batch_bytes: Positive = 16 << 10
    slice_bytes: Positive = 2 << 10
    otlp_endpoint: str | None = None

    def key(self) -> str | None:
        """The API key from the environment or its file; None when the service is open.

        Raises:
            UsageError: the key is too short, or cannot stand in a header.
            InputError: its file cannot be read.
        """
        if self.api_key_file is not None:
            try:
                key = self.api_key_file.read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or "is no text"
                raise InputError(
                    f"cannot read the API key: {reason}", str(self.api_key_file)
                ) from None
        elif self.api_key is not None:
            key = self.api_key.get_secret_value()
        else:
            return None
        if len(key) < LEAST_KEY or not key.isascii() or not key.isprintable() or " " in key:
            raise UsageError(
                f"the API key needs {LEAST_KEY} or more printable ASCII characters and no space, "
                "e.g. from: openssl rand -hex 32"
            )
        return key


def load_settings(
    flags: Mapping[str, Any], config: Path | None = None
) -> tuple[Settings, dict[str, str]]:
    """The settings, and for each whether a ``flag``, ``environment``, the file or ``default`` won.

    Args:
        flags: what the command line gave; None means not given.
        config: a TOML file with names of :class:`Settings` at the top level.

    Raises:
        UsageError: a value or a name is wrong.
        InputError: the file cannot be read.
    """
    origins = dict.fromkeys(Settings.model_fields, "default")

    class Layered(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            layers = {"flag": init_settings, "environment": env_settings}
            if config is not None:
                layers[str(config)] = TomlConfigSettingsSource(settings_cls, config)
            for origin, source in reversed(layers.items()):
                origins.update(dict.fromkeys(source(), origin))
            return tuple(layers.values())

    if config is not None:
        _check_file(config)
    try:
        settings = Layered(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        where = origins.get(name, "default")
        raise UsageError(f"setting {name} ({where}): {first['msg']}") from None
    except SettingsError as error:
        raise UsageError(str(error)) from None
    if origins["model"] == "default" and os.environ.get(SHARED_MODEL):
        settings = settings.model_copy(update={"model": Path(os.environ[SHARED_MODEL])})
        origins["model"] = "environment"
    if settings.max_queue_bytes < settings.max_body_bytes:
        raise UsageError("setting max_queue_bytes: must be at least max_body_bytes")
    return settings, origins


def _check_file(config: Path) -> None:
    """A missing file is an error here; the settings library would pass over it."""
    try:
        tomllib.loads(config.read_text())
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", str(config)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"is not TOML: {error}", str(config)) from None
