"""``unmist serve``: the HTTP service, and a flag for each of its settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from unmist.cli.inputs import adapter_option, open_model
from unmist.errors import UsageError

_F = TypeVar("_F", bound=Callable[..., Any])
_WHOLE: Final = click.INT
_SECONDS: Final = click.FLOAT

# Names, kinds and help; bounds and defaults are those of unmist.serve.settings, which help does
# not import. The default is repeated in the text only.
SETTINGS: Final[tuple[tuple[str, click.ParamType[Any], str, str], ...]] = (
    ("host", click.STRING, "ADDRESS", "Address to listen on. Default: 127.0.0.1."),
    ("port", _WHOLE, "N", "Port to listen on; 0 takes a free one. Default: 8080."),
    (
        "model",
        click.Path(path_type=Path),
        "MODEL",
        "Model folder, or edge for the smallest that unmist ships; UNMIST_MODEL names it for "
        "every verb. Default: small.",
    ),
    ("precision", click.STRING, "P", "auto, f32 or bf16. Default: what suits the CPU."),
    ("threads", _WHOLE, "N", "CPU threads for the network. Default: all cores."),
    ("cache", _WHOLE, "N", "Answers to keep, by task and text; 0 for none. Default: 65536."),
    (
        "adapter_folder",
        click.Path(path_type=Path),
        "FOLDER",
        "Folder of adapter folders, read again on SIGHUP. Default: none.",
    ),
    ("metrics_host", click.STRING, "ADDRESS", "Address of /metrics. Default: 127.0.0.1."),
    ("metrics_port", _WHOLE, "N", "Port of /metrics, for Prometheus. Default: off."),
    (
        "api_key_file",
        click.Path(path_type=Path),
        "FILE",
        "Ask for the key in FILE everywhere "
        "but on /health. UNMIST_SERVE_API_KEY holds the key itself.",
    ),
    ("max_body_bytes", _WHOLE, "N", "Bytes of a request's body. Default: 2 MiB."),
    ("max_inputs", _WHOLE, "N", "Texts in a request. Default: 2048."),
    ("max_explained", _WHOLE, "N", "Rows in a request for explanations. Default: 64."),
    ("max_text_bytes", _WHOLE, "N", "Bytes of a text. Default: 8 KiB."),
    ("max_in_flight", _WHOLE, "N", "Requests at once; more get 429. Default: 512."),
    ("max_queue_bytes", _WHOLE, "N", "Bytes of their bodies together. Default: 64 MiB."),
    ("max_connections", _WHOLE, "N", "TCP connections at once. Default: 1024."),
    ("max_header_bytes", _WHOLE, "N", "Bytes of a request's header. Default: 8 KiB."),
    ("max_json_depth", _WHOLE, "N", "Levels that JSON may nest. Default: 16."),
    ("deadline_seconds", _SECONDS, "S", "Time for an answer, else 504. Default: 30."),
    ("header_seconds", _SECONDS, "S", "Time for a header to arrive. Default: 10."),
    ("body_seconds", _SECONDS, "S", "Time for a body to arrive. Default: 10."),
    ("write_seconds", _SECONDS, "S", "Time a client may not read its answer. Default: 30."),
    ("keep_alive_seconds", _WHOLE, "S", "Time a connection may idle. Default: 5."),
    ("drain_seconds", _SECONDS, "S", "Time to answer the rest after SIGTERM. Default: 30."),
    ("batch_bytes", _WHOLE, "N", "Text in a batch for the network. Default: 16 KiB."),
    ("slice_bytes", _WHOLE, "N", "Share of a request in a batch, per turn. Default: 2 KiB."),
    ("otlp_endpoint", click.STRING, "URL", "Send traces there (OpenTelemetry). Default: off."),
)


def _setting_options(function: _F) -> _F:
    for name, kind, metavar, help_ in reversed(SETTINGS):
        flag = "--" + name.replace("_", "-")
        function = click.option(flag, name, type=kind, metavar=metavar, help=help_)(function)
    return function


@click.command("serve", short_help="Answer over HTTP.")
@adapter_option
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    envvar="UNMIST_SERVE_CONFIG",
    show_envvar=True,
    help="TOML file with settings, named like the flags with underscores.",
)
@_setting_options
def command(adapters: tuple[Path, ...], config: Path | None, **flags: Any) -> None:
    """Serve the model over HTTP: OpenAI's embeddings, classification, a page to try.

    Every setting below can also come from the environment (UNMIST_SERVE_PORT) or a
    TOML file. A flag beats the environment, which beats the file. The log says at the
    start what each is and where it came from.

    SIGTERM and Ctrl-C end it once accepted requests are answered. SIGHUP takes in the
    adapters that lie in the folder of --adapter-folder now, and lets go of those that do not.
    """
    try:
        from unmist.serve.adapters import Adapters
        from unmist.serve.run import serve
        from unmist.serve.settings import load_settings
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("unmist"):
            raise
        raise UsageError(
            f"serving needs {error.name}, which is not installed: pip install 'unmist[serve]'"
        ) from None
    settings, origins = load_settings(flags, config)
    settings.key()  # a mistake there should not wait for the model
    every = Adapters(adapters, settings.adapter_folder)
    model = open_model(
        settings.model,
        settings.threads,
        tuple(every.found()),
        cache=settings.cache,
        precision=settings.precision,
    )
    model.compile()
    serve(model, settings, origins, every)
