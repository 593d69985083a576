import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unmist.errors import InputError, UsageError
from unmist.io.json_table import MAX_COLUMNS
from unmist.io.record_chunk import CHUNK_BYTES
from unmist.io.records import Chunk, open_records


def chunks(path: Path, rows: int = 3, skip: int = 0, **options: Any) -> list[Chunk]:
    with open_records(str(path), **options) as records:
        records.skip(skip)
        found = []
        while (chunk := records.take(rows)) is not None:
            found.append(chunk)
        seen = sum(len(chunk.lines) + len(chunk.bad) + chunk.filtered for chunk in found)
        assert skip or records.position == seen
        return found


def whole(path: Path, **options: Any) -> list[dict[str, Any]]:
    found = chunks(path, **options)
    return [row for chunk in found for row in chunk.table.to_pylist()]


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode(errors="surrogateescape"))
    return path


ZEEK = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n"
    "#fields\tts\tuid\tid.resp_p\tquery\tAA\tanswers\trtt\tline\n"
    "#types\ttime\tstring\tport\tstring\tbool\tvector[string]\tinterval\tstring\n"
)


def test_zeek_keeps_every_column_with_its_type(tmp_path: Path) -> None:
    records = (
        "1700000000.123456\tC1\t53\ta.org\tT\t1.1.1.1,b\\x2c.org\t-\tx\n"
        "1700000001.0\tC2\tmany\tb\\xff.org\tmaybe\t(empty)\t0.5\t(empty)\n"
        "#fields\tts\tquery\tnew\n#types\ttime\tstring\tstring\n"
        "5.0\tc.org\tn\n"
    )
    path = write(tmp_path / "dns.log", ZEEK + records)
    (chunk,) = chunks(path)
    kinds = [str(field.type) for field in chunk.table.schema]
    assert kinds[:2] == ["string", "string"]
    rows = chunk.table.to_pylist()
    source = str(path)
    assert rows[0] == {
        "text": "a.org",
        "source": source,
        "line": 8,
        "ts": 1700000000.123456,
        "uid": "C1",
        "id.resp_p": 53,
        "query": "a.org",
        "AA": True,
        "answers": '["1.1.1.1","b,.org"]',
        "rtt": None,
        "line_": "x",
        "new": None,
        "_rest": None,
    }
    # Bytes that are not UTF-8 make the row a bad one, so the next good row is of the second log.
    assert [row.problem for row in chunk.bad] == ["invalid_utf8"]
    assert (rows[1]["text"], rows[1]["ts"], rows[1]["uid"]) == ("c.org", 5.0, None)
    assert rows[1]["new"] == "n"


def test_zeek_values_that_do_not_fit_their_type_are_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "dns.log", f"{ZEEK}1.0\tC\tmany\ta.org\tmaybe\t(empty)\t-\t(empty)\n")
    (row,) = whole(path)
    assert (row["id.resp_p"], row["AA"], row["answers"], row["line_"]) == (None, None, "[]", "")
    assert row["_rest"] == '{"id.resp_p":"many","AA":"maybe"}'


def test_eve_keeps_every_member(tmp_path: Path) -> None:
    events = (
        '{"timestamp":"t","event_type":"dns","n":1,"dns":{"queries":[{"rrname":"a"},{"rrname":"b"}]}}\n'
        '{"timestamp":"u","event_type":"flow"}\n'
        '{"timestamp":"v","event_type":"tls","n":2,"tls":{"sni":"c"}}\n'
    )
    path = write(tmp_path / "eve.json", events)
    rows = whole(path)
    assert [(row["text"], row["line"], row["n"]) for row in rows] == [
        ("a", 1, 1),
        ("b", 1, 1),
        ("c", 3, 2),
    ]
    assert rows[0]["dns"] == rows[1]["dns"] == '{"queries":[{"rrname":"a"},{"rrname":"b"}]}'
    assert (rows[2]["dns"], rows[2]["tls"]) == (None, '{"sni":"c"}')
    # The head is read ahead for the types; the filtered record still belongs to the row before.
    assert [chunk.filtered for chunk in chunks(path, rows=1)] == [0, 1, 0]
    assert [chunk.filtered for chunk in chunks(path, rows=1, skip=1)] == [1, 0]


CONTENT = {
    "lines": "a\n\nb\nc\n",
    "csv": 'text,n\n"x\ny",1\n\nb,2\nc,3\n',
    "jsonl": '{"text":"a"}\n{\n{"text":"c"}\n',
    "zeek": "#separator \\x09\n#path\tdns\n#fields\tquery\na\n\nb\n",
    "eve": '{"event_type":"dns","timestamp":"","dns":{"rrname":"a"}}\n{\n\n',
}


@pytest.mark.parametrize("kind", CONTENT)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("packed", [False, True])
def test_offsets_are_where_the_records_start(
    tmp_path: Path, kind: str, mark: str, packed: bool
) -> None:
    data = (mark + CONTENT[kind]).encode()
    starts = [len(mark.encode())]
    starts += [at + 1 for at, byte in enumerate(data) if byte == 10]
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(data) if packed else data)
    found = chunks(path, format=kind)
    good = [pair for c in found for pair in zip(c.lines, c.offsets, strict=True)]
    bad = [(row.line, row.offset) for c in found for row in c.bad]
    assert good
    assert bad
    assert all(starts[line - 1] == offset for line, offset in good + bad)


def test_plain_lines_have_text_source_and_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a", "x\n\ny\n")
    (chunk,) = chunks(path)
    source = str(path)
    assert chunk.table.to_pylist() == [
        {"text": "x", "source": source, "line": 1},
        {"text": "y", "source": source, "line": 3},
    ]
    assert [row.problem for row in chunk.bad] == ["empty"]
    assert chunk.end
    assert chunk.lines == [1, 3]


def test_filtered_records_belong_to_the_row_before(tmp_path: Path) -> None:
    records = "".join(f"{name}\n" for name in ("-", "a", "-", "-", "b", "c", "-"))
    path = write(tmp_path / "dns.log", f"#separator \\x09\n#path\tdns\n#fields\tquery\n{records}")
    assert [(c.filtered, c.end) for c in chunks(path, rows=1)] == [
        (3, False),
        (0, False),
        (1, True),
    ]
    assert [(c.filtered, c.end) for c in chunks(path, rows=1, skip=1)] == [(0, False), (1, True)]


def test_only_filtered_records_are_still_a_chunk(tmp_path: Path) -> None:
    path = write(tmp_path / "e", '{"event_type":"flow","timestamp":""}\n' * 3)
    (chunk,) = chunks(path)
    assert (chunk.table.num_rows, chunk.filtered, chunk.end) == (0, 3, True)


def test_csv_keeps_every_column(tmp_path: Path) -> None:
    text = 'id,host,,id\n1,a,"x\ny",p\n2,\udcff\n3,b,\udcfe,q\n'
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(text.encode(errors="surrogateescape")))
    assert whole(path, column="host") == [
        {"id": "1", "host": "a", "column_3": "x\ny", "id_2": "p"},
        {"id": "3", "host": "b", "column_3": "\\xfe", "id_2": "q"},
    ]
    with pytest.raises(UsageError, match="no column 'no'"):
        chunks(path, column="no", format="csv")


def test_csv_of_a_header_and_nothing_else(tmp_path: Path) -> None:
    assert chunks(write(tmp_path / "a", "text,b\n"), format="csv") == []
    assert chunks(write(tmp_path / "b", ""), format="csv") == []


def test_jsonl_types_are_those_of_the_first_records(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl",
        '{"text":"a","i":1,"f":1,"b":true,"s":"x","o":{"k":[1]},"m":1,"z":null}\n'
        '{"text":"b","i":2,"f":1.5,"b":false,"s":null,"o":null,"m":"1"}\n',
    )
    (chunk,) = chunks(path)
    kinds = {field.name: str(field.type) for field in chunk.table.schema}
    assert kinds == {
        "text": "string",
        "i": "int64",
        "f": "double",
        "b": "bool",
        "s": "string",
        "o": "string",
        "m": "string",
        "z": "string",
        "_rest": "string",
    }
    first, second = chunk.table.to_pylist()
    assert (first["f"], first["o"], first["m"], second["m"]) == (1.0, '{"k":[1]}', "1", '"1"')
    assert second["_rest"] is None


def test_jsonl_loses_nothing_that_comes_later(tmp_path: Path) -> None:
    head = '{"text":"a","i":1,"f":0.5}\n' * 4096
    later = (
        '{"text":"b","i":"no","new":[1]}\n'
        '{"text":"c","i":99999999999999999999,"f":9007199254740993}\n'
        '{"text":"d","i":1.5,"f":1e999}\n'
        '{"text":"e","i":2,"f":3,"x":"\udcff"}\n'
    )
    path = write(tmp_path / "a.jsonl", head + later)
    with open_records(str(path)) as records:
        records.skip(4096)
        chunk = records.take(10)
    assert chunk is not None
    assert [(row["i"], row["f"], row["_rest"]) for row in chunk.table.to_pylist()] == [
        (None, None, '{"new":[1],"i":"no"}'),
        (None, None, '{"i":99999999999999999999,"f":9007199254740993}'),
        (None, None, '{"i":1.5,"f":1e999}'),
        (2, 3.0, '{"x":"\\\\xff"}'),
    ]


def test_jsonl_with_very_many_keys(tmp_path: Path) -> None:
    line = ",".join(f'"k{i}":{i}' for i in range(2 * MAX_COLUMNS))
    (chunk,) = chunks(write(tmp_path / "a.jsonl", f'{{"text":"a",{line}}}\n'))
    assert chunk.table.num_columns == MAX_COLUMNS + 1
    assert f'"k{2 * MAX_COLUMNS - 1}"' in chunk.table["_rest"][0].as_py()


def test_jsonl_whose_rows_are_all_bad(tmp_path: Path) -> None:
    (chunk,) = chunks(write(tmp_path / "a.jsonl", '{"url":1}\n{\n'), field="url")
    assert chunk.table.column_names == ["url", "_rest"]
    assert [row.problem for row in chunk.bad] == ["wrong_type", "malformed_json"]


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    path = tmp_path / "a.parquet"
    names = [None if i % 10 == 5 else f"h{i}.example" for i in range(100)]
    table = pa.table(
        {
            "id": list(range(100)),
            "text": pa.array(names),
            "tags": [[str(i), "x"] for i in range(100)],
            "kind": pa.array(["a", "b"] * 50).dictionary_encode(),
        },
        metadata={"made": "up"},
    )
    pq.write_table(table, path, row_group_size=30)
    return path


def test_parquet_keeps_columns_types_and_metadata(parquet: Path) -> None:
    (chunk,) = chunks(parquet, rows=1000)
    assert chunk.table.num_rows == 90
    assert chunk.table.schema.field("tags").type == pa.list_(pa.field("element", pa.string()))
    assert chunk.table.schema.field("kind").type == pa.string()
    assert chunk.table.schema.metadata == {b"made": b"up"}
    assert [(row.line, row.problem) for row in chunk.bad[:2]] == [
        (6, "missing_value"),
        (16, "missing_value"),
    ]
    assert chunk.lines[:6] == [1, 2, 3, 4, 5, 7]


@pytest.mark.parametrize("skip", [0, 7, 30, 59, 60, 99, 100])
def test_parquet_after_a_skip_is_as_after_reading(parquet: Path, skip: int) -> None:
    every = chunks(parquet, rows=1)
    rest = chunks(parquet, rows=1, skip=skip)
    assert len(rest) == 100 - skip
    for one, other in zip(every[skip:], rest, strict=True):
        assert one.table.equals(other.table)
        assert one[1:] == other[1:]


@pytest.mark.parametrize("rows", [1, 30, 70, 1000])
def test_parquet_damaged_on_the_way_ends_with_one_bad_row(parquet: Path, rows: int) -> None:
    data = bytearray(parquet.read_bytes())
    column = pq.ParquetFile(parquet).metadata.row_group(1).column(1)
    start = column.dictionary_page_offset or column.data_page_offset
    data[start : start + column.total_compressed_size] = bytes(column.total_compressed_size)
    parquet.write_bytes(data)
    found = chunks(parquet, rows=rows)
    assert sum(len(chunk.lines) for chunk in found) == 27
    assert [(r.line, r.problem) for r in found[-1].bad][-1] == (31, "corrupt_parquet")
    assert [chunk.end for chunk in found] == [False] * (len(found) - 1) + [True]


def test_what_is_not_parquet(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a readable Parquet file"):
        chunks(write(tmp_path / "a", "PAR1 not"))
    path = tmp_path / "b.parquet"
    pq.write_table(pa.table({"text": [1]}), path)
    with pytest.raises(UsageError, match="holds int64"):
        chunks(path)


def test_long_rows_make_small_chunks(tmp_path: Path) -> None:
    path = write(tmp_path / "a", ("x" * 1_000_000 + "\n") * 30)
    sizes = [(len(chunk.lines), chunk.size) for chunk in chunks(path, rows=1000)]
    assert sum(count for count, _ in sizes) == 30
    assert max(size for _, size in sizes) < CHUNK_BYTES + 1_000_001
    assert [len(c.lines) for c in chunks(path, rows=1000, skip=9)] == [n for n, _ in sizes[1:]]
