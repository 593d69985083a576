"""sentence-transformers behind litserve, for the load test; run under the peer's own Python.

Arguments: model folder, port, threads. Requests are ``{"input": text}``.
"""

import sys
from typing import Any

import litserve
from sentence_transformers import SentenceTransformer

MAX_BATCH = 64  # the best size in the speed benchmark


class Embed(litserve.LitAPI):  # type: ignore[misc, unused-ignore]
    """Texts that arrive together are embedded together."""

    def setup(self, device: str) -> None:
        """Load the model, once per worker."""
        folder, threads = sys.argv[1], int(sys.argv[3])
        self.model = SentenceTransformer(
            folder,
            backend="openvino",
            model_kwargs={"ov_config": {"INFERENCE_NUM_THREADS": threads}},
            local_files_only=True,
        )

    def decode_request(self, request: dict[str, Any]) -> str:
        """The text."""
        return str(request["input"])

    def predict(self, texts: list[str]) -> Any:
        """Vectors of a batch."""
        return self.model.encode(texts, batch_size=MAX_BATCH, show_progress_bar=False)

    def encode_response(self, vector: Any) -> dict[str, Any]:
        """As OpenAI's answer, without its frills."""
        return {"data": [{"embedding": vector.tolist()}]}


if __name__ == "__main__":
    api = Embed(max_batch_size=MAX_BATCH, batch_timeout=0.002)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False)
