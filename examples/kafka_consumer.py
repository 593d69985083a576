"""Verdicts for the messages of a Kafka topic, at least once each.

    pip install 'unmist[kafka]'
    python examples/kafka_consumer.py --brokers localhost:9092 --topic dns --task host-category \\
        --key query --out verdicts

Messages are taken in batches. A batch is annotated, written to Parquet files under temporary names,
brought to the disk and renamed; only then are its offsets committed. A consumer that dies in
between gets the same messages again and writes them again: no message is lost, and one may be in
two files. ``topic``, ``partition`` and ``offset`` are columns, by which the copies are told.

A message that cannot be asked about (no value, no such key, not UTF-8) is a row like the others,
with the status ``bad_input`` and a reason.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from confluent_kafka import Consumer, KafkaException, TopicPartition

from unmist.batch import Annotate
from unmist.errors import UnmistError
from unmist.io import AtomicFile


def text_of(value: bytes | None, key: str | None) -> bytes | None:
    """The text to ask about: the value, or a key of the JSON object that it is."""
    if value is None or key is None:
        return value
    try:
        members = msgspec.json.decode(value, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    found = members.get(key)
    return found.encode(errors="surrogatepass") if isinstance(found, str) else None


def table_of(messages: Sequence[Any], key: str | None) -> pa.Table:
    """The messages as rows; their values are kept as they are."""
    columns = {
        "topic": pa.array([message.topic() for message in messages], pa.string()),
        "partition": pa.array([message.partition() for message in messages], pa.int32()),
        "offset": pa.array([message.offset() for message in messages], pa.int64()),
        "value": pa.array([message.value() for message in messages], pa.binary()),
        "text": pa.array([text_of(message.value(), key) for message in messages], pa.binary()),
    }
    return pa.table(columns)


def write(table: pa.Table, out: Path) -> None:
    """Write a file for each partition, whole or not at all; on the disk when this returns.

    A file is named after its offsets, so writing the same messages again replaces it by its like.
    """
    for partition in table.column("partition").unique().to_pylist():
        rows = table.filter(pc.equal(table.column("partition"), partition))
        topic, offsets = rows.column("topic")[0].as_py(), rows.column("offset")
        first, last = offsets[0].as_py(), offsets[rows.num_rows - 1].as_py()
        with AtomicFile(out / f"{topic}-{partition}-{first:020}-{last:020}.parquet") as file:
            pq.write_table(rows, file, compression="zstd")


def next_offsets(messages: Sequence[Any]) -> list[TopicPartition]:
    """What to commit after these messages: for each partition the offset to read next."""
    highest: dict[tuple[str, int], int] = {}
    for message in messages:
        place = message.topic(), message.partition()
        highest[place] = max(highest.get(place, -1), message.offset())
    return [TopicPartition(*place, offset + 1) for place, offset in highest.items()]


def step(consumer: Any, annotate: Any, out: Path, key: str | None, batch: int) -> int:
    """Take one batch through; how many messages it had, 0 when none came within a second.

    Raises:
        KafkaException: the broker refuses; what was not committed will come again.
    """
    messages = []
    for message in consumer.consume(batch, timeout=1.0):
        if message.error() is not None:
            raise KafkaException(message.error())
        messages.append(message)
    if messages:
        write(annotate(table_of(messages, key)), out)
        consumer.commit(offsets=next_offsets(messages), asynchronous=False)
    return len(messages)


def main() -> None:
    """Consume until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--task", action="append", required=True)
    parser.add_argument("--key", help="key of the text, where messages are JSON objects")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--group", default="unmist")
    parser.add_argument("--batch", type=int, default=4096)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    stopping: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: stopping.append(number))
    settings = {
        "bootstrap.servers": args.brokers,
        "group.id": args.group,
        "enable.auto.commit": False,  # a commit of its own would come before the file is written
        "auto.offset.reset": "earliest",
    }
    consumer = Consumer(settings)
    try:
        annotate = Annotate(args.task, "text", cache=65_536)
        consumer.subscribe([args.topic])
        while not stopping:
            step(consumer, annotate, args.out, args.key, args.batch)
    except (UnmistError, KafkaException) as error:
        sys.exit(f"{error}; what was not committed will come again at the next start")
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
