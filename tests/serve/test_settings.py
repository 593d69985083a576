"""Where a setting comes from, and that a wrong one is one clear line."""

import pytest

from unmist.errors import InputError, UsageError
from unmist.serve.settings import Settings, load_settings


def test_a_flag_beats_the_environment_which_beats_the_file(tmp_path, monkeypatch):
    file = tmp_path / "serve.toml"
    file.write_text("port = 1\nmax_inputs = 1\nmax_in_flight = 1\n")
    monkeypatch.setenv("UNMIST_SERVE_PORT", "2")
    monkeypatch.setenv("UNMIST_SERVE_MAX_INPUTS", "2")
    settings, origins = load_settings({"port": 3, "host": None}, file)
    assert (settings.port, settings.max_inputs, settings.max_in_flight) == (3, 2, 1)
    assert settings.host == "127.0.0.1"
    found = [origins[name] for name in ("port", "max_inputs", "max_in_flight", "host")]
    assert found == ["flag", "environment", str(file), "default"]
    assert set(origins) == set(Settings.model_fields)


def test_the_model_of_every_verb_is_that_of_the_service_unless_it_is_told(tmp_path, monkeypatch):
    file = tmp_path / "serve.toml"
    file.write_text("model = 'from-file'\nprecision = 'f32'\n")
    assert load_settings({})[0].model is None
    monkeypatch.setenv("UNMIST_MODEL", "shared")
    settings, origins = load_settings({})
    assert (str(settings.model), origins["model"]) == ("shared", "environment")
    settings, origins = load_settings({}, file)
    assert (str(settings.model), settings.precision) == ("from-file", "f32")
    assert origins["model"] == str(file)
    monkeypatch.setenv("UNMIST_SERVE_MODEL", "own")
    assert str(load_settings({}, file)[0].model) == "own"
    assert str(load_settings({"model": "flag"}, file)[0].model) == "flag"


@pytest.mark.parametrize(
    ("flags", "file", "said"),
    [
        ({"port": 70_000}, None, "setting port (flag)"),
        ({"max_inputs": 0}, None, "setting max_inputs (flag)"),
        ({}, "max_input = 3", "setting max_input "),
        ({}, "port = 'x'", "setting port ("),
        ({"max_queue_bytes": 5}, None, "max_queue_bytes"),
    ],
)
def test_wrong_settings_are_named(flags, file, said, tmp_path):
    config = None
    if file is not None:
        config = tmp_path / "serve.toml"
        config.write_text(file)
    with pytest.raises(UsageError) as raised:
        load_settings(flags, config)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("content", [None, b"port = ", b"\xff"])
def test_an_unreadable_file_is_an_input_error(content, tmp_path):
    file = tmp_path / "serve.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError):
        load_settings({}, file)


def test_the_key_is_never_shown(monkeypatch):
    monkeypatch.setenv("UNMIST_SERVE_API_KEY", "very-secret-key-0123")
    settings, origins = load_settings({})
    assert settings.key() == "very-secret-key-0123"
    assert "very-secret" not in repr(settings) + str(settings) + repr(origins)


@pytest.mark.parametrize("key", ["", "short", "k" * 20 + " k", "é" * 20])
def test_a_bad_key_is_refused_without_showing_it(key, tmp_path):
    file = tmp_path / "key"
    file.write_text(key, encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        Settings(api_key_file=file).key()
    assert not key or key not in str(raised.value)


def test_a_missing_key_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError):
        Settings(api_key_file=tmp_path / "none").key()
