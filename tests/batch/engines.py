"""One table annotated by ``Annotate`` here and by an engine: ``python engines.py ENGINE``."""

import importlib
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from unmist.batch import Annotate

FAKE = runpy.run_path(str(Path(__file__).parents[1] / "cli" / "fake_unmist.py"))
MODEL = FAKE["FakeModel"]


class FakeAnnotate(Annotate):
    """Opens the model without a network, on a worker as well as here."""

    @property
    def model(self) -> Any:
        if self._model is None:
            self._model = MODEL()
        return self._model


TEXTS = ["a.news", "", None, "b.example", "maybe.example", "a.news"] * 50
TABLE = pa.table({"id": list(range(len(TEXTS))), "query": TEXTS})
TASKS = ["host-category", "url-category"]
ANNOTATE = FakeAnnotate(TASKS, "query", embed=True)


def with_ray() -> pa.Table:
    """Ray Data: the class itself, in a pool of two actors."""
    from unmist.batch.cluster import import_ray

    ray = import_ray()
    data = importlib.import_module("ray.data")
    ray.init(address="local", num_cpus=2, log_to_driver=False, object_store_memory=100 << 20)
    # Cut before the actors hold both processors, or the tasks that cut would wait for ever.
    dataset = data.from_arrow(TABLE).repartition(4).materialize()
    pool = data.ActorPoolStrategy(size=2)
    found = dataset.map_batches(
        FakeAnnotate,
        fn_constructor_args=(TASKS, "query"),
        fn_constructor_kwargs={"embed": True},
        batch_format="pyarrow",
        compute=pool,
    )
    return pa.concat_tables(ray.get(found.to_arrow_refs()))


def with_pyspark() -> pa.Table:
    """Spark: mapInArrow, with the schema of an annotated table without rows.

    Without the vectors, because Spark has no 16-bit floats.
    """
    from pyspark.sql import SparkSession
    from pyspark.sql.pandas.types import from_arrow_schema

    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )

    verdicts = FakeAnnotate(TASKS, "query")

    def step(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield from verdicts(pa.Table.from_batches([batch])).to_batches()

    schema = from_arrow_schema(verdicts(TABLE.slice(0, 0)).schema)
    frame = session.createDataFrame(TABLE).repartition(4).mapInArrow(step, schema)
    found: pa.Table = frame.toArrow()
    session.stop()
    return found


def with_daft() -> pa.Table:
    """Daft: a batch function over the text column, its columns unpacked from a struct."""
    import daft

    kind = pa.struct(ANNOTATE.answers(TABLE.column("query").slice(0, 0)).schema)

    @daft.func.batch(return_dtype=daft.DataType.from_arrow_type(kind))
    def step(texts: daft.Series) -> Any:
        return ANNOTATE.answers(pa.chunked_array([texts.to_arrow()])).to_struct_array()

    frame = daft.from_arrow(TABLE).into_partitions(4)
    frame = frame.with_column("answers", step(daft.col("query")))
    names = [daft.col("answers").get(name).alias(name) for name in ANNOTATE.columns()]
    return frame.select("id", "query", *names).to_arrow()


def plain(table: pa.Table) -> list[dict[str, Any]]:
    """The rows in the order of their ids."""
    return sorted(table.to_pylist(), key=lambda row: row["id"])


def main() -> None:
    """Compare."""
    engine = sys.argv[1]
    found = {"ray": with_ray, "pyspark": with_pyspark, "daft": with_daft}[engine]()
    expected = ANNOTATE(TABLE).select(found.column_names)
    assert set(expected.column_names) >= {"id", "query", "url_category_model_score"}
    assert plain(found) == plain(expected), found.slice(0, 3).to_pylist()
    print("the same")


if __name__ == "__main__":
    main()
