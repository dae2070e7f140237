"""A plain gateway, as an experienced Python programmer writes it: the peer of benches/flow.rs.

For each message from the queue: checks the XML by the exported XSD, maps it to JSON, writes the message, its obligation
and its two outgoing letters in one transaction, publishes both letters confirmed, marks them as sent, and acknowledges.
One commit for each message (--batch 1) or for as many as have come meanwhile, up to --batch.

Promises: everything in its own process, nothing held back; ends by itself after --messages, and prints one line of
JSON. Never: does what the measured gateway does not do.
"""

import argparse
import asyncio
import datetime
import json
import time
import uuid

import aio_pika
import psycopg
from lxml import etree

ENVELOPE = "{urn:mezhved:message:1}"
TABLES = """
CREATE TABLE IF NOT EXISTS peer_message (
    id uuid PRIMARY KEY, sender text NOT NULL, type text NOT NULL, received_at timestamptz NOT NULL,
    content bytea NOT NULL);
CREATE TABLE IF NOT EXISTS peer_obligation (
    id uuid PRIMARY KEY, message uuid NOT NULL REFERENCES peer_message (id), performer text NOT NULL,
    due_on date NOT NULL, state text NOT NULL);
CREATE INDEX IF NOT EXISTS peer_obligation_due ON peer_obligation (state, due_on);
CREATE TABLE IF NOT EXISTS peer_outbox (
    id uuid PRIMARY KEY, message uuid NOT NULL REFERENCES peer_message (id), recipient text NOT NULL,
    state text NOT NULL, content bytea NOT NULL);
CREATE INDEX IF NOT EXISTS peer_outbox_ready ON peer_outbox (id) WHERE state = 'queued';
"""


def value(element):
    """The JSON value of an element: a list of items, an object, or a text."""
    children = list(element)
    if not children:
        return element.text or ""
    if all(etree.QName(child).localname == "item" for child in children):
        return [value(child) for child in children]
    return {etree.QName(child).localname: value(child) for child in children}


def working_days_after(day, count):
    while count:
        day += datetime.timedelta(days=1)
        count -= day.weekday() < 5
    return day


class Read:
    """A message, checked and mapped, with what is written and sent for it."""

    def __init__(self, content, schema):
        root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
        schema.assertValid(root)
        self.document = value(root)
        self.document["version"] = int(self.document["version"])
        self.id, self.content = uuid.UUID(self.document["id"]), content
        self.sender, self.type = self.document["from"], self.document["type"]
        self.performer = self.document["to"][0]
        self.now = datetime.datetime.now(datetime.timezone.utc)
        self.due_on = working_days_after(self.now.date(), 5)
        self.obligation = uuid.uuid4()
        letter = json.dumps(self.document, ensure_ascii=False).encode()
        self.letters = [(uuid.uuid4(), self.performer, letter), (uuid.uuid4(), self.sender, self.receipt())]

    def receipt(self):
        receipt = {
            "id": str(uuid.uuid4()),
            "type": "receipt.delivery",
            "version": 1,
            "from": "mezhved",
            "to": [self.sender],
            "created_at": self.now.isoformat(),
            "in_reply_to": str(self.id),
            "body": {
                "accepted": True,
                "time": self.now.isoformat(),
                "obligations": [
                    {"id": str(self.obligation), "performer": self.performer, "due_on": self.due_on.isoformat()}
                ],
            },
        }
        return json.dumps(receipt, ensure_ascii=False).encode()


async def save(connection, batch):
    async with connection.transaction(), connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO peer_message VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [(one.id, one.sender, one.type, one.now, one.content) for one in batch],
        )
        await cursor.executemany(
            "INSERT INTO peer_obligation VALUES (%s, %s, %s, %s, 'running')",
            [(one.obligation, one.id, one.performer, one.due_on) for one in batch],
        )
        await cursor.executemany(
            "INSERT INTO peer_outbox VALUES (%s, %s, %s, 'queued', %s)",
            [(letter, one.id, to, content) for one in batch for letter, to, content in one.letters],
        )


async def send(exchange, prefix, batch):
    def publish(letter, to, content):
        message = aio_pika.Message(
            content, content_type="application/json", message_id=str(letter), delivery_mode=2
        )
        return exchange.publish(message, routing_key=f"{prefix}{to}", mandatory=True)

    await asyncio.gather(*(publish(*letter) for one in batch for letter in one.letters))


async def mark(connection, batch):
    async with connection.transaction():
        sent = [letter for one in batch for letter, _, _ in one.letters]
        await connection.execute("UPDATE peer_outbox SET state = 'sent' WHERE id = ANY(%s)", (sent,))


async def gather(queue, most):
    """What has come: one at least, and what is here already, up to so many."""
    batch = [await queue.get()]
    while len(batch) < most and not queue.empty():
        batch.append(queue.get_nowait())
    return batch


async def work(arguments):
    schema = etree.XMLSchema(etree.parse(arguments.schema))
    connection = await psycopg.AsyncConnection.connect(arguments.database, autocommit=True)
    await connection.execute(TABLES)
    broker = await aio_pika.connect(arguments.amqp)
    publishing, consuming = await broker.channel(publisher_confirms=True), await broker.channel()
    await consuming.set_qos(prefetch_count=512)
    come = asyncio.Queue()
    queue = await consuming.get_queue(arguments.queue)
    await queue.consume(come.put)
    done, begun = 0, None
    while done < arguments.messages:
        deliveries = await gather(come, arguments.batch)
        begun = begun or time.perf_counter()
        batch = [Read(delivery.body, schema) for delivery in deliveries]
        await save(connection, batch)
        await send(publishing.default_exchange, arguments.prefix, batch)
        await mark(connection, batch)
        await deliveries[-1].ack(multiple=True)
        done += len(batch)
    print(json.dumps({"messages": done, "seconds": time.perf_counter() - begun}), flush=True)
    await broker.close()
    await connection.close()


def main():
    parser = argparse.ArgumentParser()
    for name in ("amqp", "database", "queue", "prefix", "schema"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--messages", type=int, required=True)
    parser.add_argument("--batch", type=int, default=1)
    asyncio.run(work(parser.parse_args()))


if __name__ == "__main__":
    main()
