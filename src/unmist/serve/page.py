"""The page at ``/``: one file, no other host, and a policy that allows nothing else."""

import base64
import hashlib
import re
from importlib.resources import files

from fastapi.responses import HTMLResponse


def load_page() -> HTMLResponse:
    """The page with its headers; a policy names its one script and one style by their hash."""
    html = files("unmist.serve").joinpath("page.html").read_text(encoding="utf-8")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hash(html, 'script')}",
            f"style-src {_hash(html, 'style')}",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
    headers = {
        "content-security-policy": policy,
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
    }
    return HTMLResponse(html, headers=headers)


def _hash(html: str, tag: str) -> str:
    found = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
    digests = [hashlib.sha256(content.encode()).digest() for content in found]
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
