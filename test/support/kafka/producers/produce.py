"""Publishes <codec>-0 to <codec>-<count - 1> in one batch, with librdkafka."""

import sys

from confluent_kafka import Producer

brokers, topic, count, *codecs = sys.argv[1:]
for codec in codecs:
    producer = Producer(
        {"bootstrap.servers": brokers, "compression.type": codec, "linger.ms": 1000}
    )
    for index in range(int(count)):
        producer.produce(topic, f"{codec}-{index}", key="key", partition=0)
    if producer.flush(30) > 0:
        sys.exit("not everything is acknowledged")
