"""The estimators behave as scikit-learn expects, as far as text allows."""

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

import unmist
from unmist.errors import InputError, ModelError, OutputError, UsageError
from unmist.sklearn import AdapterClassifier, Embedder
from unmist.train import fitting

WORDS = {"play": ("poker", "slots", "dice", "bingo"), "read": ("press", "times", "herald", "post")}
PAIRS = [(word, label) for label, words in WORDS.items() for word in words]
TEXTS = [f"{PAIRS[i % 8][0]}{i}.com" for i in range(120)]
ROUNDS = 6
LABELS = [PAIRS[i % 8][1] for i in range(120)]


@pytest.fixture(scope="module")
def fitted(tiny_model_folder: Path, ticking: Callable[[], SimpleNamespace]) -> AdapterClassifier:
    classifier = AdapterClassifier(model=tiny_model_folder, minutes=200 / 60, lr=1e-2, threads=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "time", ticking())
        return classifier.fit(TEXTS, LABELS)


def test_vectors_are_the_models(tiny_model_folder: Path, tiny_model: unmist.Model) -> None:
    embedder = Embedder(model=tiny_model_folder, threads=1).fit(TEXTS)
    np.testing.assert_array_equal(embedder.transform(TEXTS), tiny_model.embed(TEXTS))
    column = np.array(TEXTS[:5], object)[:, None]
    np.testing.assert_array_equal(embedder.transform(column), tiny_model.embed(TEXTS[:5]))
    assert embedder.hash_ == tiny_model.hash
    assert len(embedder.get_feature_names_out()) == tiny_model.dim
    with pytest.raises(UsageError, match="no field kind"):
        Embedder("host", tiny_model_folder).fit(TEXTS)


def test_what_is_no_text(tiny_model_folder: Path) -> None:
    embedder = Embedder(model=tiny_model_folder, threads=1).fit(TEXTS)
    for values in ("a.com", [1, 2], [["a.com", "b.com"]], ["a.com", None], 5):
        with pytest.raises(ValueError, match="expected"):
            embedder.transform(values)


def test_a_pipeline_and_a_search(tiny_model_folder: Path) -> None:
    pipeline = make_pipeline(
        Embedder(model=tiny_model_folder, threads=1), LogisticRegression(max_iter=500)
    )
    search = GridSearchCV(pipeline, {"logisticregression__C": [1.0, 100.0]}, cv=2)
    search.fit(TEXTS, LABELS)
    assert search.best_score_ > 0.6
    again = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(again.predict(TEXTS), search.predict(TEXTS))


def test_a_classifier_learns(fitted: AdapterClassifier) -> None:
    assert fitted.classes_.tolist() == ["play", "read"]
    assert fitted.score(TEXTS, LABELS) > 0.8
    probabilities = fitted.predict_proba(TEXTS)
    assert probabilities.shape == (len(TEXTS), 2)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    assert set(fitted.card_["scores"]) == {"dev", "test"}


def test_a_pickle_holds_no_weights_and_says_when_they_are_gone(
    fitted: AdapterClassifier, tmp_path: Path
) -> None:
    data = pickle.dumps(fitted)
    assert len(data) < 20_000
    np.testing.assert_array_equal(
        pickle.loads(data).predict_proba(TEXTS), fitted.predict_proba(TEXTS)
    )
    lost = pickle.loads(data)
    lost.adapter_ = str(tmp_path / "gone")
    with pytest.raises(UsageError, match=r"save\(\) it before pickling"):
        lost.predict(TEXTS)


def test_saved_it_serves_everywhere(
    fitted: AdapterClassifier, tiny_model_folder: Path, tmp_path: Path
) -> None:
    kept = pickle.loads(pickle.dumps(fitted))
    kept.save(tmp_path / "pastime")
    np.testing.assert_array_equal(kept.predict_proba(TEXTS), fitted.predict_proba(TEXTS))
    model = unmist.load(tiny_model_folder, adapters=[tmp_path / "pastime"], threads=1)
    assert [v.model_label for v in model.classify(TEXTS, "pastime")] == kept.predict(TEXTS).tolist()
    with pytest.raises(OutputError, match="exists"):
        kept.save(tmp_path / "pastime")


def test_classes_may_be_numbers_and_are_columns_in_their_order(tiny_model_folder: Path) -> None:
    y = np.array([10 if label == "play" else 9 for label in LABELS])
    classifier = AdapterClassifier(model=tiny_model_folder, minutes=1e-3, threads=1).fit(TEXTS, y)
    assert classifier.classes_.tolist() == [9, 10]  # as texts "10" would come first
    chosen = classifier.predict_proba(TEXTS).argmax(1)
    assert (classifier.predict(TEXTS) == np.array([9, 10])[chosen]).all()
    assert classifier.predict(TEXTS).dtype == y.dtype


def test_a_clone_is_not_fitted(fitted: AdapterClassifier) -> None:
    other = clone(fitted)
    assert other.get_params() == fitted.get_params()
    assert not hasattr(other, "adapter_")


def test_mistakes(tiny_model_folder: Path, tmp_path: Path) -> None:
    classifier = AdapterClassifier(model=tiny_model_folder, minutes=1e-3, threads=1)
    with pytest.raises(ValueError, match="one class"):
        classifier.fit(TEXTS, ["x"] * len(TEXTS))
    with pytest.raises(ValueError, match="120 texts with 3 labels"):
        classifier.fit(TEXTS, ["x", "y", "x"])
    with pytest.raises(InputError, match="label 'y' has one row"):
        classifier.fit(TEXTS, ["x"] * (len(TEXTS) - 1) + ["y"])
    with pytest.raises(ModelError, match="no such folder"):
        Embedder(model=tmp_path / "none").fit(TEXTS)


def test_without_scikit_learn() -> None:
    code = "import sys; sys.modules['sklearn'] = None; import unmist.sklearn"
    done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    assert "unmist.sklearn needs scikit-learn" in done.stderr


# scikit-learn's checks make numbers, and pass over estimators that take only text. These write the
# numbers as text, so that the checks are about everything else.


def letters(numbers: Any) -> list[str]:
    """Rows of numbers as words; near numbers are near words, and no digit is in them."""
    rounded = np.clip(np.round(np.asarray(numbers, float) * 4) + 500, 0, 999).astype(int)
    table = str.maketrans("0123456789", "abcdefghij")
    return [" ".join(f"{n:03d}" for n in row).translate(table) for row in rounded]


class Numbers:
    """Takes rows of numbers."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.two_d_array = True
        tags.input_tags.one_d_array = tags.input_tags.string = False
        return tags


class NumbersEmbedder(Numbers, Embedder):
    """An embedder of numbers."""

    def fit(self, X: Any, y: Any = None) -> "NumbersEmbedder":  # noqa: N803
        super().fit(letters(validate_data(self, X)))
        return self

    def transform(self, X: Any) -> np.ndarray:  # noqa: N803
        check_is_fitted(self)
        return super().transform(letters(validate_data(self, X, reset=False)))


class NumbersClassifier(Numbers, AdapterClassifier):
    """A classifier of numbers. It sees them several times: the checks give ten or twenty rows, and
    a fifth of those is too few to calibrate on."""

    def fit(self, X: Any, y: Any, groups: Any = None) -> "NumbersClassifier":  # noqa: N803
        X, y = validate_data(self, X, y)  # noqa: N806
        texts, y = letters(X) * ROUNDS, np.tile(y, ROUNDS)
        super().fit(texts, y, [str(i) for i in range(len(y))])
        return self

    def predict_proba(self, X: Any) -> np.ndarray:  # noqa: N803
        check_is_fitted(self)
        return super().predict_proba(letters(validate_data(self, X, reset=False)))


EXPECTED = {
    "NumbersClassifier": {
        "check_classifiers_train": "numbers written as letters are nothing this encoder can read, "
        "and the steps taken here are too few for the accuracy that is asked",
    }
}


@pytest.fixture
def few_steps(
    tiny_model_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    ticking: Callable[[], SimpleNamespace],
) -> None:
    """Training is a few steps, always the same ones, on the tiny encoder.

    The estimators are made before there is one, so it takes the shipped one's place.
    """
    monkeypatch.setattr("unmist.artifact.layout.SHIPPED", tiny_model_folder)
    monkeypatch.setattr(fitting, "time", ticking())


@pytest.mark.usefixtures("few_steps")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(
    [NumbersEmbedder("other", threads=1), NumbersClassifier("other", minutes=4 / 60, threads=1)],
    expected_failed_checks=lambda estimator: EXPECTED.get(type(estimator).__name__, {}),
)
def test_scikit_learns_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
