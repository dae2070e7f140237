"""A plain gateway, as an experienced Python programmer writes it: the peer of benches/flow.rs.

For each message from the queue: checks the XML by the exported XSD, maps it to JSON, writes what the gateway writes (the
message with its digest, its exchange, the obligation with the way its date was counted, the first rung, a line of the
journal for either side under the next number of its register, the disclosure, what happened, and two outgoing letters)
in one transaction, publishes both letters confirmed, marks them as sent with what happened, and acknowledges. One commit
for each message (--batch 1) or for as many as have come meanwhile, up to --batch.

Promises: everything in its own process, nothing held back; ends by itself after --messages, and prints one line of
JSON. Never: does what the measured gateway does not do; leases letters, guards anything by a lock, or looks for what a
crash has left.
"""

import argparse
import asyncio
import datetime
import hashlib
import json
import time
import uuid

import aio_pika
import psycopg
from lxml import etree

ENVELOPE = "{urn:mezhved:message:1}"
TABLES = """
CREATE TABLE IF NOT EXISTS peer_exchange (id uuid PRIMARY KEY, root json NOT NULL);
CREATE TABLE IF NOT EXISTS peer_message (
    id uuid PRIMARY KEY, exchange uuid NOT NULL REFERENCES peer_exchange (id), sender text NOT NULL, type text NOT NULL,
    received_at timestamptz NOT NULL, digest bytea NOT NULL, outcome json NOT NULL, content bytea NOT NULL);
CREATE INDEX IF NOT EXISTS peer_message_exchange ON peer_message (exchange);
CREATE TABLE IF NOT EXISTS peer_obligation (
    id uuid PRIMARY KEY, message uuid NOT NULL REFERENCES peer_message (id), performer text NOT NULL,
    controller text NOT NULL, case_no text, due_on date NOT NULL, state text NOT NULL, protocol json NOT NULL);
CREATE INDEX IF NOT EXISTS peer_obligation_due ON peer_obligation (state, due_on);
CREATE INDEX IF NOT EXISTS peer_obligation_performer ON peer_obligation (performer, state, due_on);
CREATE INDEX IF NOT EXISTS peer_obligation_controller ON peer_obligation (controller, state, due_on);
CREATE TABLE IF NOT EXISTS peer_rung (
    obligation uuid PRIMARY KEY REFERENCES peer_obligation (id), planned_on date NOT NULL, state text NOT NULL);
CREATE INDEX IF NOT EXISTS peer_rung_planned ON peer_rung (planned_on) WHERE state = 'planned';
CREATE TABLE IF NOT EXISTS peer_register (
    participant text, year integer, direction text, last bigint NOT NULL, PRIMARY KEY (participant, year, direction));
CREATE TABLE IF NOT EXISTS peer_journal (
    participant text, year integer, direction text, number bigint, date date NOT NULL,
    message uuid NOT NULL REFERENCES peer_message (id), counterparty text NOT NULL, case_no text, summary text NOT NULL,
    PRIMARY KEY (participant, year, direction, number));
CREATE INDEX IF NOT EXISTS peer_journal_date ON peer_journal (participant, date);
CREATE INDEX IF NOT EXISTS peer_journal_message ON peer_journal (message);
CREATE TABLE IF NOT EXISTS peer_disclosure (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, centre text NOT NULL, case_no text, at timestamptz NOT NULL,
    message uuid NOT NULL, to_whom text NOT NULL);
CREATE INDEX IF NOT EXISTS peer_disclosure_case ON peer_disclosure (centre, case_no);
CREATE TABLE IF NOT EXISTS peer_outbox (
    id uuid PRIMARY KEY, message uuid NOT NULL REFERENCES peer_message (id), recipient text NOT NULL,
    state text NOT NULL, content bytea NOT NULL, delivered_at timestamptz, digest bytea);
CREATE INDEX IF NOT EXISTS peer_outbox_ready ON peer_outbox (id) WHERE state = 'queued';
CREATE INDEX IF NOT EXISTS peer_outbox_message ON peer_outbox (message);
CREATE TABLE IF NOT EXISTS peer_event (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, kind text NOT NULL,
    message uuid NOT NULL, participant text);
CREATE INDEX IF NOT EXISTS peer_event_message ON peer_event (message);
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
    """The day, and the days that were skipped, which show how it was counted."""
    skipped = []
    while count:
        day += datetime.timedelta(days=1)
        count -= day.weekday() < 5
        if day.weekday() >= 5:
            skipped.append(day.isoformat())
    return day, skipped


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
        self.due_on, skipped = working_days_after(self.now.date(), 5)
        self.protocol = json.dumps({"from": self.now.isoformat(), "term": "5 wd", "skipped": skipped})
        self.obligation, self.exchange = uuid.uuid4(), uuid.uuid4()
        self.case = self.document.get("case")
        self.digest = hashlib.sha256(content).digest()
        letter = json.dumps(self.document, ensure_ascii=False).encode()
        self.letters = [(uuid.uuid4(), self.performer, letter), (uuid.uuid4(), self.sender, self.receipt())]
        # Either side's line of the journal: who, in which direction, and with whom.
        self.lines = [(self.sender, "outgoing", self.performer), (self.performer, "incoming", self.sender)]

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
        numbers = await next_numbers(cursor, batch)
        await cursor.executemany(
            "INSERT INTO peer_exchange VALUES (%s, %s)",
            [(one.exchange, json.dumps({"message": str(one.id), "case": one.case})) for one in batch],
        )
        await cursor.executemany(
            "INSERT INTO peer_message VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [
                (one.id, one.exchange, one.sender, one.type, one.now, one.digest, json.dumps({"number": n}), one.content)
                for one, n in zip(batch, numbers[::2])
            ],
        )
        await cursor.executemany(
            "INSERT INTO peer_obligation VALUES (%s, %s, %s, %s, %s, %s, 'running', %s)",
            [
                (one.obligation, one.id, one.performer, one.sender, one.case, one.due_on, one.protocol)
                for one in batch
            ],
        )
        await cursor.executemany(
            "INSERT INTO peer_rung VALUES (%s, %s, 'planned')", [(one.obligation, one.due_on) for one in batch]
        )
        lines = [(one, *line) for one in batch for line in one.lines]
        await cursor.executemany(
            "INSERT INTO peer_journal VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (who, one.now.year, way, number, one.now.date(), one.id, other, one.case, one.type)
                for (one, who, way, other), number in zip(lines, numbers)
            ],
        )
        await cursor.executemany(
            "INSERT INTO peer_disclosure (centre, case_no, at, message, to_whom) VALUES (%s, %s, %s, %s, %s)",
            [(one.sender, one.case, one.now, one.id, one.performer) for one in batch],
        )
        await cursor.executemany(
            "INSERT INTO peer_outbox VALUES (%s, %s, %s, 'queued', %s)",
            [(letter, one.id, to, content) for one in batch for letter, to, content in one.letters],
        )
        await tell(cursor, [(one.now, "accepted", one.id, one.sender) for one in batch])


async def next_numbers(cursor, batch):
    """A number without gaps for each line of the journal, in the order of the lines."""
    await cursor.executemany(
        "INSERT INTO peer_register VALUES (%s, %s, %s, 1) ON CONFLICT (participant, year, direction)"
        " DO UPDATE SET last = peer_register.last + 1 RETURNING last",
        [(who, one.now.year, way) for one in batch for who, way, _ in one.lines],
        returning=True,
    )
    numbers = [(await cursor.fetchone())[0]]
    while cursor.nextset():
        numbers.append((await cursor.fetchone())[0])
    return numbers


async def tell(cursor, events):
    await cursor.executemany("INSERT INTO peer_event (at, kind, message, participant) VALUES (%s, %s, %s, %s)", events)


async def send(exchange, prefix, batch):
    def publish(letter, to, content):
        message = aio_pika.Message(
            content, content_type="application/json", message_id=str(letter), delivery_mode=2
        )
        return exchange.publish(message, routing_key=f"{prefix}{to}", mandatory=True)

    await asyncio.gather(*(publish(*letter) for one in batch for letter in one.letters))


async def mark(connection, batch):
    now = datetime.datetime.now(datetime.timezone.utc)
    async with connection.transaction(), connection.cursor() as cursor:
        await cursor.executemany(
            "UPDATE peer_outbox SET state = 'sent', delivered_at = %s, digest = %s WHERE id = %s",
            [(now, hashlib.sha256(content).digest(), letter) for one in batch for letter, _, content in one.letters],
        )
        await tell(cursor, [(now, "delivered", one.id, to) for one in batch for _, to, _ in one.letters])


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
        begun = begun or (time.perf_counter(), time.process_time())
        batch = [Read(delivery.body, schema) for delivery in deliveries]
        await save(connection, batch)
        await send(publishing.default_exchange, arguments.prefix, batch)
        await mark(connection, batch)
        await deliveries[-1].ack(multiple=True)
        done += len(batch)
    seconds, processor = time.perf_counter() - begun[0], time.process_time() - begun[1]
    print(json.dumps({"messages": done, "seconds": seconds, "processor_seconds": processor}), flush=True)
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
