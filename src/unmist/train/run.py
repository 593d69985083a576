"""One training run of the encoder: its steps, its checkpoints, its log.

Two objectives share every step: masked-language modelling, and naming the list (or the task label)
that a row stands in from the mean of its hidden states. A general encoder's vectors, a teacher's
answers, a larger model and pairs may be asked for beside them.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unmist.engine.units import has_bf16
from unmist.text import Tokenizer
from unmist.train import checkpoint, distill, pairs, shares, throughput
from unmist.train.distill import Master
from unmist.train.encoder import Encoder, Shape
from unmist.train.general import GeneralVectors
from unmist.train.mixture import Batch, Mixture
from unmist.train.optimizer import Muon
from unmist.train.pairs import Pairs
from unmist.train.pretrain_recipe import Recipe, rate_share
from unmist.train.pretrainer import Pretrainer
from unmist.train.soft import SoftTargets
from unmist.train.spelling import Spelling
from unmist.train.start import warm_start


def mask(
    batch: Batch, rate: float, whole_rows: float, generator: np.random.Generator
) -> np.ndarray:
    """Tokens to hide, [rows, length] bool; the field-kind token never, some rows not at all."""
    rows, length = batch.ids.shape
    hidden = generator.random((rows, length)) < rate
    hidden[:, 0] = False
    hidden[generator.random(rows) < whole_rows] = False
    return hidden


class Run:
    """One training run in a folder: ``checkpoint.safetensors``, ``log.jsonl``, ``recipe.json``."""

    def __init__(
        self,
        folder: Path,
        recipe: Recipe,
        mixture: Mixture,
        tokenizer: Tokenizer,
        compared: Pairs | None = None,
    ) -> None:
        self.compared = compared
        self.folder, self.recipe, self.mixture, self.tokenizer = folder, recipe, mixture, tokenizer
        self.bf16 = recipe.bf16 and has_bf16()  # the run may have begun on another machine
        torch.manual_seed(recipe.seed)
        self.model = self._learner()
        self.encode = _compiled(self.model.encoder) if recipe.compile else self.model.encoder
        self.master: Master | None = None
        if recipe.master:
            shape = self.model.encoder.shape
            self.master = Master(Path(recipe.master), mixture.questions, shape.hidden)
            if recipe.compile:
                self.master.encode = _compiled(self.master.encoder)
        self.general: GeneralVectors | None = None
        if recipe.general:
            hidden = self.model.encoder.shape.hidden
            self.general = GeneralVectors(Path(recipe.general), mixture, hidden)
        self.spelling: Spelling | None = None
        if recipe.spelling:
            table = self.model.encoder.embeddings.tok_embeddings.weight
            self.spelling = Spelling(table, tokenizer.pieces)
        matrices: list[Tensor] = []
        if recipe.muon:
            matrices += [w for w in self.model.encoder.layers.parameters() if w.ndim == 2]
            matrices.append(self.model.dense.weight)
        taken = {id(w) for w in matrices}
        learnt = [w for m in self._modules().values() for w in m.parameters() if w.requires_grad]
        others = [w for w in learnt if id(w) not in taken]
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            **({"muon": Muon(matrices, lr=recipe.lr, bf16=self.bf16)} if matrices else {}),
            "adam": torch.optim.AdamW(
                others, lr=recipe.adam_lr, betas=(0.9, 0.98), weight_decay=0.0, fused=True
            ),
        }
        self._flops = 0.0  # of matrix products since the last report
        self.state: dict[str, Any] = {
            "seconds": 0.0,
            "step": 0,
            "tokens": 0,
            "rows": 0,
            "chunk": 0,
            "batch": 0,
            "annealing": False,
            "cursors": [0] * len(mixture.parts),
        }
        self.allowed = torch.zeros(len(mixture.questions), mixture.classes, dtype=torch.bool)
        for part in mixture.parts:
            self.allowed[part.question, part.first : part.first + part.count] = True
        self.soft = SoftTargets(Path(recipe.soft), mixture) if recipe.soft else None
        if self.master is not None:
            distill.start(self.model.encoder, self.master.encoder)
        if recipe.init:
            warm_start(self.model, tokenizer, mixture.questions, Path(recipe.init))
        if self.checkpoint.exists():
            meta = checkpoint.load(self.checkpoint, self._modules(), self.optimizers)
            self.state = {key: meta[key] for key in self.state}

    def _learner(self) -> Pretrainer:
        return Pretrainer(Shape(**self.recipe.shape), self.mixture.classes)

    @property
    def checkpoint(self) -> Path:
        """Where the run resumes from."""
        return self.folder / "checkpoint.safetensors"

    def _modules(self) -> dict[str, nn.Module]:
        modules = {
            "model": self.model,
            "lift": self.master and self.master.lift,
            "general": self.general and self.general.lift,
            "spelling": self.spelling,
        }
        return {name: module for name, module in modules.items() if module is not None}

    @property
    def done(self) -> bool:
        """Whether the budget is spent."""
        return bool(self.state["seconds"] >= self.recipe.minutes * 60)

    def save(self) -> None:
        """Write the checkpoint atomically."""
        meta = self.state | {"questions": self.mixture.questions}
        checkpoint.save(self.checkpoint, self._modules(), self.optimizers, meta)

    def train(
        self, report_every: float = 60.0, save_every: float = 120.0, probe: Any = None
    ) -> None:
        """Train until the budget is spent; saves, reports and probes on the way."""
        budget = self.recipe.minutes * 60
        self._rate, self._flops = throughput.matrix_rate(self.bf16), 0.0
        began, spent = time.monotonic(), self.state["seconds"]
        reported = saved = spent
        sums = np.zeros(5)
        self.model.train()
        while self.state["seconds"] < budget:
            for batches in self._steps():
                sums += self._step(batches, self.state["seconds"] / budget)
                self.state["seconds"] = now = spent + time.monotonic() - began
                if now - reported >= report_every or now >= budget:
                    self._log(sums, now - reported, probe)
                    sums[:], reported, self._flops = 0, now, 0.0
                if now - saved >= save_every:
                    self.save()
                    saved = now
                if now >= budget:
                    break
        self.save()

    def _steps(self) -> Iterator[list[Batch]]:
        """The steps of one chunk of rows, from where the chunk was left."""
        state, recipe = self.state, self.recipe
        if state["batch"] == 0:
            state["annealing"] = state["seconds"] > (1 - recipe.decay) * recipe.minutes * 60
        share = recipe.anneal_task_share if state["annealing"] else recipe.task_share
        weights = shares.mixture_weights(self.mixture, recipe, share)
        counts = [round(shares.CHUNK_ROWS * weight) for weight in weights]
        rows = self.mixture.draw(counts, state["cursors"], recipe.seed)
        generator = np.random.default_rng([recipe.seed, state["chunk"]])
        skip, held = state["batch"], []
        for number, batch in enumerate(self.mixture.batches(rows, recipe.batch_tokens, generator)):
            if number < skip:
                continue
            held.append(batch)
            if len(held) == recipe.batches_a_step:
                state["batch"] = number + 1
                yield held
                held = []
        state["cursors"] = [a + b for a, b in zip(state["cursors"], counts, strict=True)]
        state["chunk"], state["batch"] = state["chunk"] + 1, 0

    def _step(self, batches: list[Batch], progress: float) -> np.ndarray:
        share = rate_share(self.recipe, progress)
        peaks = {"muon": self.recipe.lr, "adam": self.recipe.adam_lr}
        generator = np.random.default_rng([self.recipe.seed, 7, self.state["step"]])
        sums = np.zeros(5)
        for batch in batches:
            with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
                token, label = self._losses(batch, generator)
            loss = (token + self.recipe.label_weight * label) / len(batches)
            loss.backward()  # type: ignore[no-untyped-call]
            sums[:3] += (1, token.item(), label.item())
            self.state["tokens"] += batch.ids.size
            self.state["rows"] += len(batch.ids)
            self._flops += throughput.encoder_flops(self.model.encoder.shape, [batch.ids.shape])
        if self.compared is not None and progress >= 1 - self.recipe.pairs:
            sums[3:] += self._compare(self.compared)
        if self.spelling is not None:
            self.spelling.take()
        nn.utils.clip_grad_norm_(self.optimizers["adam"].param_groups[0]["params"], 1.0)
        for name, optimizer in self.optimizers.items():
            optimizer.param_groups[0]["lr"] = peaks[name] * share
            optimizer.step()
            optimizer.zero_grad()
        if self.spelling is not None:
            self.spelling.give()
        self.state["step"] += 1
        return sums

    def _compare(self, compared: Pairs) -> tuple[float, float]:
        """Gradients of one batch of pairs of each kind; (1, loss), or zeros between them."""
        if self.state["step"] % self.recipe.pair_every:
            return 0.0, 0.0
        chance = random.Random(f"{self.recipe.seed} {self.state['step']}")
        encoder = self.model.encoder
        drawn = (compared.owners(chance), compared.neighbours(chance), compared.forms(chance))
        weights = (0.0, 0.0, self.recipe.ranking)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            kinds = zip(drawn, weights, strict=True)
            loss = torch.stack([pairs.loss(encoder, one, ranking) for one, ranking in kinds]).sum()
        rows = [(1, len(ids)) for one in drawn for ids in one.texts]
        self._flops += throughput.encoder_flops(encoder.shape, rows)
        (self.recipe.pair_weight * loss).backward()  # type: ignore[no-untyped-call]
        return 1.0, loss.item()

    def _hidden(self, batch: Batch, generator: np.random.Generator) -> np.ndarray:
        annealing = self.state["annealing"]
        whole = self.recipe.anneal_whole_rows if annealing else self.recipe.whole_rows
        return mask(batch, self.recipe.mask_rate, whole, generator)

    def _losses(self, batch: Batch, generator: np.random.Generator) -> tuple[Tensor, Tensor]:
        hide = self._hidden(batch, generator)
        token, pooled = self._token_loss(batch, hide, generator)
        return token, self._label_loss(batch, pooled)

    def _token_loss(
        self, batch: Batch, hide: np.ndarray, generator: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """Loss of the hidden tokens, and the vectors [rows, hidden] of what is left of the rows."""
        ids = np.where(hide, self.tokenizer.mask_id, batch.ids)
        states = self.encode(torch.from_numpy(ids))
        flat = np.flatnonzero(hide)
        token = torch.zeros(())
        if len(flat):
            self._flops += throughput.vocabulary_flops(self.model.encoder.shape, len(flat))
            token = self.model.token_loss(
                states.flatten(0, 1)[torch.from_numpy(flat)],
                torch.from_numpy(batch.ids.ravel()[flat]),
            )
        return token, states.mean(1)

    def _label_loss(self, batch: Batch, pooled: Tensor) -> Tensor:
        allowed = self.allowed[torch.from_numpy(batch.question)]
        label = self.model.label_loss(pooled, allowed, torch.from_numpy(batch.label))
        if self.soft is not None:
            label = label + self.recipe.soft_weight * self.soft.loss(self.model, batch, pooled)
        if self.general is not None:
            label = label + self.recipe.general_weight * self.general.loss(batch, pooled)
        if self.master is not None:
            rows, answers = torch.from_numpy(batch.ids), self.model.labels(pooled)
            label = label + self.master.loss(rows, pooled, answers, allowed)
        return label

    def _log(self, sums: np.ndarray, seconds: float, probe: Any) -> None:
        entry = {key: value for key, value in self.state.items() if key != "cursors"}
        entry["seconds"] = round(self.state["seconds"], 1)
        entry["tokens_per_second"] = round(self.state["tokens"] / self.state["seconds"])
        entry["token_loss"], entry["label_loss"] = (sums[1:3] / max(sums[0], 1)).round(4).tolist()
        if seconds:
            entry["matrix_share"] = round(self._flops / seconds / self._rate, 4)
        if sums[3]:
            entry["pair_loss"] = round(sums[4] / sums[3], 4)
        if probe is not None:
            entry |= probe(self)
        with (self.folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(entry) + "\n")
        print(json.dumps(entry), flush=True)


def _compiled(encoder: Encoder) -> Callable[[Tensor], Tensor]:
    # One graph for every number of rows and tokens.
    encode: Callable[[Tensor], Tensor] = torch.compile(encoder, dynamic=True)
    return encode
