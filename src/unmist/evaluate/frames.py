"""How smoothly a map's page moves, and whether it minds its own business. Needs playwright.

::

    python -m unmist.evaluate.frames map.html --chromium /usr/bin/chromium -o frames.json

The page is opened in headless Chromium, panned and zoomed by one event a frame, searched, lassoed
and steered by keys. Headless Chromium has no graphics card, so this measures the page's plain
canvas; ``--webgl`` measures WebGL drawn in software, which the page would not choose.
"""

import argparse
import json
import os
import re
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np

from unmist.errors import InputError, UsageError
from unmist.io import AtomicFile

_SIZE: Final = {"width": 1280, "height": 800}
_FRAMES: Final = 60
# One event a frame, forth and back; the next frame comes when this one is on the screen.
_MOVE: Final = """([kind, frames]) => new Promise((done) => {
  const overlay = document.getElementById("overlay"), times = [];
  const send = {
    pan: (i) => overlay.dispatchEvent(new KeyboardEvent("keydown",
      { key: i % 20 < 10 ? "ArrowRight" : "ArrowLeft", bubbles: true })),
    zoom: (i) => overlay.dispatchEvent(new WheelEvent("wheel", { deltaY: i % 40 < 20 ? -80 : 80,
      clientX: 700, clientY: 400, cancelable: true })),
  }[kind];
  const next = (now) => {
    times.push(now);
    if (times.length > frames) return done(times);
    send(times.length - 1); requestAnimationFrame(next);
  };
  overlay.focus(); requestAnimationFrame(next);
})"""
_RENDERER: Final = """() => {
  const gl = document.createElement("canvas").getContext("webgl");
  if (!gl) return "none";
  const more = gl.getExtension("WEBGL_debug_renderer_info");
  return String(gl.getParameter(more ? more.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
}"""


def measure(
    path: Path, chromium: str | None, screens: Path | None, *, webgl: bool
) -> dict[str, Any]:
    """Frame times in milliseconds, what the hands did, and what went wrong.

    Args:
        path: a page that ``unmist map`` wrote.
        chromium: the browser, or ``None`` for playwright's own.
        screens: folder for screenshots, or ``None``.
        webgl: take WebGL even where it is drawn in software.

    Raises:
        InputError: there is no such page.
        UsageError: playwright is not installed.
    """
    if not path.is_file():
        raise InputError("no such page; write one with 'unmist map -o'", str(path))
    try:
        start: Any = import_module("playwright.sync_api").sync_playwright
    except ModuleNotFoundError as error:
        raise UsageError("this needs playwright; run: pip install playwright") from error
    flags = ["--no-sandbox", "--enable-unsafe-swiftshader"]
    with start() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=flags)
        page = browser.new_page(viewport=_SIZE)
        wrong: list[str] = []
        asked: list[str] = []
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.emulate_media(color_scheme="light")
        page.goto(path.resolve().as_uri() + ("#webgl" if webgl else ""))
        page.wait_for_selector("html[data-ready=yes]", timeout=120_000)
        load = page.evaluate("() => performance.now()")
        result = {
            "bytes": path.stat().st_size,
            "browser": browser.version,
            "drawn_by": page.evaluate(_RENDERER) if webgl else "canvas",
            "load_ms": round(load),
            "frames_ms": _frames(page),
            "hands": _hands(page),
        }
        if screens is not None:
            _screens(page, screens)
        own = path.resolve().as_uri()
        others = [url for url in asked if url.partition("#")[0] != own]
        result |= {"errors": wrong, "requests": others}
        browser.close()
    return result


def _frames(page: Any) -> dict[str, dict[str, float]]:
    cpu = page.context.new_cdp_session(page)
    cpu.send("Performance.enable", {"timeDomain": "threadTicks"})
    found = {"pan": _times(page, cpu, "pan"), "zoom": _times(page, cpu, "zoom")}
    page.keyboard.press("0")
    for _ in range(6):
        page.keyboard.press("+")
    found["pan, zoomed in 8 times"] = _times(page, cpu, "pan")
    page.keyboard.press("0")
    page.wait_for_timeout(1500)
    return found


def _times(page: Any, cpu: Any, kind: str) -> dict[str, float]:
    """Milliseconds between frames, and of the page's thread a frame: CPU time, which other work on
    the machine does not lengthen."""
    before = _thread(cpu)
    times = np.diff(page.evaluate(_MOVE, [kind, _FRAMES]))
    return {
        "thread": round(1000 * (_thread(cpu) - before) / _FRAMES, 1),
        "least": round(float(times.min()), 1),
        "median": round(float(np.median(times)), 1),
        "p95": round(float(np.percentile(times, 95)), 1),
        "worst": round(float(times.max()), 1),
    }


def _thread(cpu: Any) -> float:
    metrics = {m["name"]: m["value"] for m in cpu.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"])


def _hands(page: Any) -> dict[str, Any]:
    """Search, lasso and keys as a person would use them, and what the page answered."""
    page.keyboard.press("/")
    page.keyboard.type("shop")
    page.locator("#facts", has_text="match").wait_for()
    searched = page.inner_text("#facts")
    page.keyboard.press("Escape")
    page.keyboard.press("l")
    page.mouse.move(600, 250)
    page.mouse.down()
    for corner in ((900, 250), (900, 550), (600, 550)):
        page.mouse.move(*corner)
    page.mouse.up()
    lassoed = page.inner_text("#count")
    page.keyboard.press("Escape")
    page.mouse.move(760, 400)
    return {
        "search": searched,
        "lasso": lassoed,
        "escape clears": page.is_hidden("#selection") and page.input_value("#search") == "",
    }


def _screens(page: Any, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    page.mouse.move(5, 795)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_timeout(1500)
        page.screenshot(path=folder / f"{theme}.jpg", type="jpeg", quality=80)
    page.emulate_media(color_scheme="light")
    page.mouse.move(820, 400)
    for _ in range(5):
        page.mouse.wheel(0, -300)
        page.wait_for_timeout(300)
    page.screenshot(path=folder / "zoom.jpg", type="jpeg", quality=80)


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description="Frame times of a map's page.")
    parser.add_argument("page", type=Path)
    parser.add_argument("--chromium", help="browser to use (default: playwright's)")
    parser.add_argument("--webgl", action="store_true", help="WebGL, even in software")
    parser.add_argument("--screens", type=Path, help="folder for screenshots")
    parser.add_argument("-o", "--output", type=Path)
    args = parser.parse_args()
    result = measure(args.page, args.chromium, args.screens, webgl=args.webgl)
    result["load_average"] = round(os.getloadavg()[0], 1)
    text = json.dumps(result, indent=1) + "\n"
    if args.output is not None:
        with AtomicFile(args.output) as file:
            file.write(text.encode())
    print(re.sub(r"file://\S+", "file", text), end="")


if __name__ == "__main__":
    main()
