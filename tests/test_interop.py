"""The folder as it is opens in transformers, sentence-transformers and PEFT, with our numbers."""

from pathlib import Path

import numpy as np
import peft
import pytest
import torch
from sentence_transformers import SentenceTransformer
from transformers import AutoModel, AutoTokenizer

from unmist.artifact import layout, open_folder
from unmist.model import Model

TASK = "host-category"
NAMES = ["casino-lake.com", "mail.university-green.co.uk", "x", "a-b.c_d.example", "news.de"]


def test_transformers(tiny_model: Model, tiny_model_folder: Path) -> None:
    model = AutoModel.from_pretrained(tiny_model_folder).eval()
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    tokenizer = AutoTokenizer.from_pretrained(tiny_model_folder)
    texts = ["[HOSTNAME]" + name for name in NAMES]
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    assert set(batch) == {"input_ids", "attention_mask"}
    with torch.inference_mode():
        hidden = model(**batch).last_hidden_state
    real = batch["attention_mask"][..., None]
    pooled = ((hidden * real).sum(1) / real.sum(1)).numpy()
    pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
    np.testing.assert_allclose(pooled, tiny_model.embed(NAMES), atol=1e-5, rtol=0)


def test_sentence_transformers(tiny_model: Model, tiny_model_folder: Path) -> None:
    model = SentenceTransformer(str(tiny_model_folder), device="cpu")
    vectors = model.encode(NAMES)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, tiny_model.embed(NAMES), atol=1e-5, rtol=0)
    urls = model.encode(NAMES, prompt_name="url")
    np.testing.assert_allclose(urls, tiny_model.embed(NAMES, "url"), atol=1e-5, rtol=0)


# transformers 5 warns about a property that PEFT still asks for.
@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
def test_peft(tiny_model: Model, tiny_model_folder: Path) -> None:
    base = AutoModel.from_pretrained(tiny_model_folder)
    folder = layout.adapter_folder(tiny_model_folder, TASK)
    model = peft.PeftModel.from_pretrained(base, folder).eval()
    adapter = open_folder(tiny_model_folder).adapters[TASK]
    rows = tiny_model.tokenizer.encode_batch(NAMES, "hostname")
    ours = tiny_model._engine.run(rows, TASK)
    for number, row in enumerate(rows):
        with torch.inference_mode():
            pooled = model(input_ids=torch.tensor([row])).last_hidden_state.mean(1)[0].numpy()
        vector = pooled / np.linalg.norm(pooled)
        np.testing.assert_allclose(vector, ours.vectors[number], atol=1e-5, rtol=0)
        logits = adapter.weight @ pooled + adapter.bias
        np.testing.assert_allclose(logits, ours.logits[number], atol=1e-4, rtol=0)
