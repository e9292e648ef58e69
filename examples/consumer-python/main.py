"""A consumer of the billing topics: stores each entry and each low balance once.

However often Kafka delivers a record, it is handled once: what was handled is stored with what it
caused, in one transaction. A record that cannot be read is skipped with a word about where it is; while
the registry is down, the program ends, and goes on where it was when it is started again.
"""

import functools
import io
import json
import os
import signal
import sqlite3
import struct
import sys
import urllib.error
import urllib.request

import fastavro
from confluent_kafka import Consumer

BROKERS = os.environ.get("KAFKA_BROKERS", "127.0.0.1:9092")
GROUP = os.environ.get("KAFKA_GROUP", "example-consumer-python")
REGISTRY = os.environ.get("SCHEMA_REGISTRY_URL", "http://127.0.0.1:8081/apis/ccompat/v7")
TOPICS = ["billing.credits", "billing.low-balance"]

database = sqlite3.connect(os.environ.get("DATABASE", "consumer.db"))
database.executescript(
    """
    CREATE TABLE IF NOT EXISTS handled (
      topic TEXT, account_id TEXT, sequence INTEGER, PRIMARY KEY (topic, account_id)
    );
    CREATE TABLE IF NOT EXISTS notice (topic TEXT, account_id TEXT, sequence INTEGER, record TEXT);
    """
)


class Unreadable(Exception):
    """No reader of the topic can use the record."""


@functools.cache
def schema_of(schema_id):
    try:
        with urllib.request.urlopen(f"{REGISTRY}/schemas/ids/{schema_id}", timeout=10) as answer:
            return fastavro.parse_schema(json.loads(json.load(answer)["schema"]))
    except urllib.error.HTTPError as error:
        if error.code in (404, 422):
            raise Unreadable(f"the registry has no schema {schema_id}") from error
        raise  # an outage, not a bad record


def decode(value):
    """Confluent's wire format: a zero byte, the schema's id in four, then Avro."""
    if value is None or len(value) < 5 or value[0] != 0:
        raise Unreadable("its value does not start with a schema id")
    schema = schema_of(struct.unpack(">I", value[1:5])[0])
    try:
        return fastavro.schemaless_reader(io.BytesIO(value[5:]), schema, None)
    except Exception as error:
        raise Unreadable(f"it is not of its schema: {error!r}") from error


def sequence_of(message):
    text = dict(message.headers() or []).get("sequence") or b""
    if not text.isdigit() or len(text) > 18:
        raise Unreadable("it has no sequence")
    return int(text)


def handle(message):
    """Stores a record unless it was handled before; answers with what to show of it, or None."""
    try:
        topic, account_id = message.topic(), message.key().decode()
        sequence, record = sequence_of(message), decode(message.value())
    except (Unreadable, AttributeError, UnicodeDecodeError) as error:
        where = f"{message.topic()}/{message.partition()} at {message.offset()}"
        print(f"skipped {where}: {error}", file=sys.stderr, flush=True)
        return None
    is_new = database.execute(
        """
        INSERT INTO handled VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET sequence = excluded.sequence WHERE sequence < excluded.sequence
        """,
        (topic, account_id, sequence),
    ).rowcount
    if not is_new:
        return None
    text = json.dumps(record, default=str)
    database.execute("INSERT INTO notice VALUES (?, ?, ?, ?)", (topic, account_id, sequence, text))
    return f"{topic} {account_id} {sequence} {text}"


def main():
    consumer = Consumer(
        {
            "bootstrap.servers": BROKERS,
            "group.id": GROUP,
            "auto.offset.reset": "earliest",
            "enable.auto.offset.store": False,
        }
    )
    stopping = []
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopping.append(True))
    consumer.subscribe(TOPICS)
    while not stopping:
        messages = consumer.consume(500, timeout=0.5)
        for message in messages:
            if message.error():
                raise RuntimeError(message.error())
        with database:  # one transaction for all of them
            shown = [handle(message) for message in messages]
        for line in filter(None, shown):
            print(line, flush=True)
        for message in messages:
            consumer.store_offsets(message)  # committed in the background, only once handled
    consumer.close()


main()
