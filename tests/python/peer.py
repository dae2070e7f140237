"""A participant's own program, as one would write it from the published documents alone: AMQP by pika, HTTP by the
standard library, XML by lxml, JSON by the standard library.

Promises: nothing of it is shared with the gateway; each wait has a deadline. Never: reads the gateway's store.
"""

import json
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import pika
from lxml import etree

MESSAGE = "urn:mezhved:message:1"
PATIENCE_S = 60
XML, JSON = "application/xml", "application/json"


def new_id():
    return str(uuid.uuid4())


def now(hours=8):
    """The present second, with the offset of the participant's zone."""
    return datetime.now(timezone(timedelta(hours=hours))).isoformat(timespec="seconds")


def until(what, look, patience_s=PATIENCE_S):
    """Polls until `look` gives something; fails with what was awaited."""
    deadline = time.monotonic() + patience_s
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {patience_s} s: {what}")
        time.sleep(0.02)


def add(parent, name, content):
    """An element of the parent's own namespace: text, a list of `item`s, or a record."""
    child = etree.SubElement(parent, etree.QName(etree.QName(parent).namespace, name))
    fill(child, content)
    return child


def fill(element, content):
    if isinstance(content, dict):
        for name, inner in content.items():
            add(element, name, inner)
    elif isinstance(content, list):
        for inner in content:
            add(element, "item", inner)
    elif isinstance(content, bool):
        element.text = "true" if content else "false"
    else:
        element.text = str(content)


def to_xml(message):
    """A message that is written as the JSON form has it, as an XML document."""
    root = etree.Element(etree.QName(MESSAGE, "message"), nsmap={None: MESSAGE})
    envelope = {name: value for name, value in message.items() if name != "body"}
    fill(root, envelope)
    namespace = f"urn:mezhved:{message['type']}:{message['version']}"
    body = etree.SubElement(root, etree.QName(namespace, "body"), nsmap={None: namespace})
    fill(body, message["body"])
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def text_at(document, *names):
    """The text of the element that these local names lead to; none if there is none."""
    place = document
    for name in names:
        place = next((child for child in place if etree.QName(child).localname == name), None)
        if place is None:
            return None
    return place.text


@dataclass
class Letter:
    """What came out of a queue."""

    id: str
    type: str
    content_type: str
    exchange: str
    content: bytes
    times_before: int
    redelivered: bool

    def json(self):
        return json.loads(self.content)

    def xml(self):
        return etree.fromstring(self.content)


def letter(method, properties, content):
    """What came out, in our own words. The broker counts from the second time on how often it handed a letter out."""
    times = (properties.headers or {}).get("x-delivery-count", 0)
    return Letter(
        properties.message_id,
        properties.type,
        properties.content_type,
        properties.correlation_id,
        content,
        times,
        method.redelivered,
    )


class Amqp:
    """A connection of one participant, for one thread."""

    def __init__(self, url, code):
        self.code = code
        self.connection = pika.BlockingConnection(pika.URLParameters(url))
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()

    def publish(self, kind, message_id, content, content_type, **properties):
        """Returns when the broker has confirmed it; raises when it has not."""
        properties = {
            "content_type": content_type,
            "message_id": message_id,
            "user_id": self.code,
            "type": kind,
            "delivery_mode": 2,
            **properties,
        }
        self.channel.basic_publish("mezhved.in", kind, content, pika.BasicProperties(**properties), mandatory=True)

    def letters(self, wait_s=0.2):
        """The letters of the own queue, one by one, each acknowledged when the next is asked for; none where the queue
        stayed empty for that long."""
        self.channel.basic_qos(prefetch_count=50)
        for method, properties, content in self.channel.consume(f"mezhved.out.{self.code}", inactivity_timeout=wait_s):
            if method is None:
                yield None
                continue
            yield letter(method, properties, content)
            self.channel.basic_ack(method.delivery_tag)

    def next_letter(self, kind, patience_s=PATIENCE_S):
        """The next letter of the own queue, acknowledged; it must be of that type."""
        look = lambda: self.channel.basic_get(f"mezhved.out.{self.code}")
        got = until(f"a {kind} for {self.code}", lambda: (got := look())[0] and got, patience_s)
        self.channel.basic_ack(got[0].delivery_tag)
        found = letter(*got)
        if found.type != kind:
            raise SystemExit(f"{self.code}: a {found.type} where a {kind} was awaited: {found.content.decode()}")
        return found

    def is_empty(self):
        """Whether nothing waits in the own queue."""
        method, _, _ = self.channel.basic_get(f"mezhved.out.{self.code}")
        if method:
            self.channel.basic_nack(method.delivery_tag)
        return method is None

    def close(self):
        self.connection.close()


class Http:
    """The API as one participant calls it."""

    def __init__(self, base, key):
        self.base, self.key = base, key

    def call(self, method, path, content=None, content_type=JSON, accept=JSON):
        """Status and answer; a problem is an answer too. Raises OSError when nobody answers."""
        headers = {"Authorization": f"Bearer {self.key}", "Accept": accept}
        if content is not None:
            headers["Content-Type"] = content_type
        request = urllib.request.Request(self.base + path, data=content, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as problem:
            return problem.code, problem.read()

    def get(self, path):
        """The JSON at an address that must be there."""
        status, answer = self.call("GET", path)
        if status != 200:
            raise SystemExit(f"GET {path}: {status} {answer.decode()}")
        return json.loads(answer)

    def post(self, path, value):
        return self.call("POST", path, json.dumps(value, ensure_ascii=False).encode())

    def obligations(self, query=""):
        """All pages."""
        found, after = [], ""
        while True:
            page = self.get(f"/api/v1/obligations?limit=200{query}{after}")
            found += page["obligations"]
            if "next" not in page:
                return found
            after = f"&after={page['next']}"
