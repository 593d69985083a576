"""scikit-learn estimators on text: :class:`Embedder` and :class:`AdapterClassifier`.

    make_pipeline(Embedder(), LogisticRegression()).fit(names, labels)
    AdapterClassifier(minutes=1).fit(names, labels).predict(["shop.example.com"])

Both take a one-dimensional array or list of strings. Pickles hold parameters and paths, never
weights. Needs scikit-learn; :class:`AdapterClassifier` needs the whole extra ``unmist[train]``.
"""

import shutil
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import numpy as np

from unmist.artifact import model_folder
from unmist.errors import OutputError, UsageError
from unmist.model import Model, load

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, column_or_1d
except ImportError as error:
    raise ImportError("unmist.sklearn needs scikit-learn: pip install 'unmist[train]'") from error

_TASK = "fitted"


class _TextMixin:
    """What scikit-learn is told of both: rows are strings, not numbers."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        return tags


class Embedder(_TextMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Texts to vectors float32 [n, dim], L2-normalised. Nothing is learnt by ``fit``.

    Args:
        field: field kind of the texts.
        model: model folder; None for the shipped one.
        threads: CPU threads; None lets the engine choose.

    Attributes:
        hash_: SHA-256 of the model; vectors of different hashes do not compare.
    """

    def __init__(
        self,
        field: str = "hostname",
        model: str | Path | None = None,
        threads: int | None = None,
    ) -> None:
        self.field, self.model, self.threads = field, model, threads

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = True
        tags.transformer_tags.preserves_dtype = []  # text in, float32 out
        return tags

    def fit(self, X: Any, y: Any = None) -> "Embedder":  # noqa: N803
        """Check the texts and the model. Raises UsageError, ModelError or ValueError."""
        _texts(X)
        opened = _open(model_folder(self.model), None, self.threads)
        opened.embed([], self.field)
        self.hash_, self._dim = opened.hash, opened.dim
        return self

    def transform(self, X: Any) -> np.ndarray:  # noqa: N803
        """Vectors of the texts. Raises ValueError for what are no texts."""
        check_is_fitted(self)
        return _open(model_folder(self.model), None, self.threads).embed(_texts(X), self.field)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """``unmist0``, ``unmist1`` and so on."""
        check_is_fitted(self)
        return np.array([f"unmist{i}" for i in range(self._dim)], object)


class AdapterClassifier(_TextMixin, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A specialist of one's own: a LoRA adapter with a head, calibrated on rows kept from it.

    ``fit`` writes an adapter folder that is removed when the process ends; :meth:`save` keeps it.
    A pickle names the folder and does not hold it.

    Args:
        field: field kind of the texts.
        model: model folder to stand on; None for the shipped one.
        rank: rank of the factors.
        minutes: most time to train; None for what ``unmist train`` takes for as many rows.
        lr: highest rate.
        precision: what the thresholds of the adapter's card aim at; ``predict`` never abstains.
        threads: CPU threads.
        seed: decides the order of the rows.

    Attributes:
        classes_: the labels, in the order of the columns of ``predict_proba``.
        adapter_: the adapter folder.
        card_: what is said of it: scores on the rows kept from it, temperature, thresholds.
    """

    def __init__(
        self,
        field: str = "hostname",
        model: str | Path | None = None,
        rank: int = 8,
        minutes: float | None = None,
        lr: float = 2e-3,
        precision: float = 0.95,
        threads: int = 2,
        seed: int = 1,
    ) -> None:
        self.field, self.model, self.rank, self.minutes = field, model, rank, minutes
        self.lr, self.precision, self.threads, self.seed = lr, precision, threads, seed

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True  # training ends by the clock
        return tags

    def fit(self, X: Any, y: Any, groups: Any = None) -> "AdapterClassifier":  # noqa: N803
        """Train on texts X [n] and labels y [n].

        Args:
            X: texts.
            y: labels, of any kind that sorts.
            groups: [n], what must not be split apart when rows are kept for calibration; None for
                the rule of ``unmist train``.

        Raises:
            ValueError: X are no texts, y are no labels, or they are not equally many.
            InputError: labels that cannot be learnt from, e.g. with one row.
            UsageError: ``unmist[train]`` is not installed.
        """
        own, recipe, table = _training()
        texts = _texts(X)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        if len(y) != len(texts):
            raise ValueError(f"{len(texts)} texts with {len(y)} labels")
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError("Classifier can't train when only one class is present.")
        names = [str(name) for name in classes.tolist()]
        kin = [] if groups is None else [str(group) for group in groups]
        rows = table.Table(texts, [names[code] for code in codes], kin)
        import torch

        torch.set_num_threads(self.threads)
        folder = Path(mkdtemp(dir=_scratch().name)) / _TASK
        self.card_ = own.train_own(
            rows,
            type(self).__name__,
            self.field,
            model_folder(self.model),
            folder,
            recipe(
                rank=self.rank,
                minutes=self.minutes or own.minutes_for(len(texts)),
                lr=self.lr,
                dropout=0.05,
                precision=self.precision,
                patience=6,
                seed=self.seed,
            ),
            report=lambda spent, entry: None,
            compare=False,
        )
        self.classes_, self.adapter_ = classes, str(folder)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:  # noqa: N803
        """Calibrated probabilities float32 [n, classes]. Raises ValueError for no texts, and
        UsageError when the adapter folder is gone."""
        check_is_fitted(self)
        folder = Path(self.adapter_)
        texts = _texts(X)
        if not folder.is_dir():
            raise UsageError(
                f"{folder}: the adapter is gone with the process that fitted it; save() it before "
                "pickling, or fit again"
            )
        opened = _open(model_folder(self.model), folder, self.threads)
        place = {label: i for i, label in enumerate(opened.labels(folder.name))}
        columns = [place[str(name)] for name in self.classes_.tolist()]
        return opened.probabilities(texts, folder.name)[:, columns]

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """The most probable class of every text [n]."""
        check_is_fitted(self)
        chosen: np.ndarray = self.classes_[self.predict_proba(X).argmax(1)]
        return chosen

    def save(self, folder: str | Path) -> None:
        """Keep the adapter under ``folder``, whose name becomes the task's; for ``--adapter`` too.

        Raises:
            OutputError: the folder exists.
        """
        from unmist.train.own import rename

        check_is_fitted(self)
        folder = Path(folder)
        if folder.exists():
            raise OutputError(f"{folder}: exists; name another folder")
        shutil.copytree(self.adapter_, folder)
        self.card_ = rename(folder)
        self.adapter_ = str(folder)


def _texts(values: Any) -> list[str]:
    """One-dimensional strings, or a single column of them."""
    if isinstance(values, str | bytes):
        raise ValueError("expected a list of texts, got one; put it in a list: [text]")
    array = np.asarray(values, object)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or not all(isinstance(text, str) for text in array):
        raise ValueError(
            f"expected texts, [n] or [n, 1] strings; got an array of shape {array.shape}"
            + ("" if array.ndim != 1 else " that holds something else")
        )
    texts: list[str] = [str(text) for text in array]
    return texts


@lru_cache(maxsize=4)
def _open(model: str | Path, adapter: Path | None, threads: int | None) -> Model:
    adapters: Sequence[Path] = () if adapter is None else (adapter,)
    return load(model, adapters=adapters, threads=threads)


@cache
def _scratch() -> "TemporaryDirectory[str]":
    """Where fitted adapters lie until the process ends."""
    return TemporaryDirectory(prefix="unmist-")


def _training() -> tuple[Any, Any, Any]:
    try:
        from unmist.labelled import table
        from unmist.train import own
        from unmist.train.specialist import Recipe
    except ImportError as error:
        raise UsageError(
            "AdapterClassifier needs more libraries: pip install torch==2.13.0 'unmist[train]'"
        ) from error
    return own, Recipe, table
