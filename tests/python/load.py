"""Participants at work while somebody breaks things: a centre asks, three bodies answer, each by its own ways.

Usage: load.py FILE, with FILE a JSON object: http, amqp {code: url}, keys {code: key}, ledger (a folder), seed,
per_second (requests), requests_max; with `desk` {login, password} a clerk registers papers, and one program sends what
cannot be taken. A file `stop` in the folder ends the asking, a file `end` the program.
Promises: whatever it does is in its ledgers (sent, confirmed, received, registered) before and after; it tries again
under the same id and the same bytes until it is confirmed, as a partner's program should. Never: gives up; hides a
refusal.
"""

import hashlib
import http.client
import json
import os
import queue
import random
import sys
import threading
import time
import traceback

import clerk
import pika
from ledger import Ledger
from lxml import etree
from peer import JSON, XML, Amqp, Http, new_id, now, text_at, to_xml

CENTRE = "centre-vymysel"
# Reads its queue and answers there, reads its queue and answers over HTTP, pulls its inbox and answers over HTTP.
BY_QUEUE, BY_BOTH, BY_INBOX = "school-test-17", "school-test-18", "police-test"
# Of a hundred messages, so many are sent once more although they were confirmed.
REPEATED_PERCENT = 5
AWAY = (pika.exceptions.AMQPError, OSError, http.client.HTTPException)


def must_live(work):
    """A thread of ours that fails is a fault of the test, and ends it."""

    def guarded(*arguments):
        try:
            work(*arguments)
        except BaseException:
            traceback.print_exc()
            os._exit(1)

    return guarded


class World:
    """What all threads share."""

    def __init__(self, setup):
        self.setup, self.folder = setup, setup["ledger"]
        self.sent, self.confirmed, self.received, self.registered, self.refused = (
            Ledger(self.folder, kind) for kind in ("sent", "confirmed", "received", "registered", "refused")
        )
        self.random = random.Random(setup["seed"])
        self.amqp_out = {code: queue.Queue() for code in (CENTRE, BY_QUEUE)}
        self.http_out = {code: queue.Queue() for code in (CENTRE, BY_BOTH, BY_INBOX)}

    def told(self, word):
        return os.path.exists(os.path.join(self.folder, word))

    def http(self, code):
        return Http(self.setup["http"], self.setup["keys"][code])

    def is_repeated(self):
        return self.random.randrange(100) < REPEATED_PERCENT

    def wrote(self, message, via, attempt):
        named = {name: message.get(name) for name in ("id", "from", "to", "type", "in_reply_to")}
        self.sent.write(**named, via=via, attempt=attempt)


def request(to):
    return {
        "id": new_id(),
        "type": "request.information",
        "version": 1,
        "from": CENTRE,
        "to": to,
        "created_at": now(),
        "summary": "Запрос под нагрузкой",
        "body": {
            "persons": [{"name": "Примеров Пример Примерович", "birth_date": "2014-03-09", "relation": "child"}],
            "questions": ["Посещает ли ребёнок занятия?"],
        },
    }


def reply(asked, code):
    return {
        "id": new_id(),
        "exchange": asked,
        "in_reply_to": asked,
        "type": "reply.information",
        "version": 1,
        "from": code,
        "to": [CENTRE],
        "created_at": now(),
        "summary": "Ответ под нагрузкой",
        "body": {"answers": [{"answer": "Посещает."}], "no_data": False},
    }


@must_live
def ask(world):
    """Steadily, to one body, two or three; every fourth request over HTTP."""
    pause_s, bodies = 1 / world.setup["per_second"], [BY_QUEUE, BY_BOTH, BY_INBOX]
    for count in range(world.setup["requests_max"]):
        if world.told("stop"):
            return
        message = request(world.random.sample(bodies, world.random.choice([1, 1, 2, 3])))
        (world.http_out if count % 4 == 3 else world.amqp_out)[CENTRE].put(message)
        time.sleep(pause_s)


@must_live
def send_over_amqp(world, code):
    peer = None
    while True:
        message = world.amqp_out[code].get()
        kind, content = (XML, to_xml(message)) if code == CENTRE else (JSON, json.dumps(message).encode())
        for attempt in range(2 if world.is_repeated() else 1):
            peer = publish(world, peer, (code, message, content, kind), attempt)
        world.confirmed.write(id=message["id"], via="amqp")


def publish(world, peer, sending, attempt):
    """Until the broker has confirmed it; the connection that it went over."""
    code, message, content, content_type = sending
    while True:
        world.wrote(message, "amqp", attempt)
        try:
            peer = peer or Amqp(world.setup["amqp"][code], code)
            peer.publish(message["type"], message["id"], content, content_type)
            return peer
        except AWAY:
            peer, attempt = None, attempt + 1
            time.sleep(0.1)


@must_live
def send_over_http(world, code):
    http = world.http(code)
    while True:
        message = world.http_out[code].get()
        kind, content = (JSON, json.dumps(message).encode()) if code == CENTRE else (XML, to_xml(message))
        for attempt in range(2 if world.is_repeated() else 1):
            number = submit(world, http, (message, content, kind), attempt)
            world.confirmed.write(id=message["id"], via="http", number=number)


def submit(world, http, sending, attempt):
    """Until it is receipted: its registration number. A refusal is a fault of the gateway: nothing here earns one."""
    message, content, content_type = sending
    while True:
        world.wrote(message, "http", attempt)
        try:
            status, answer = http.call("POST", "/api/v1/messages", content, content_type)
            if status in (200, 202):
                return json.loads(answer)["registration"]["number"]
            if status < 500:
                raise SystemExit(f"{message['id']} was refused: {status} {answer.decode()}")
        except AWAY:
            pass
        attempt += 1
        time.sleep(0.05)


@must_live
def send_rubbish(world, code):
    """What cannot be taken, now and then: each must be refused, and hinder nobody."""
    peer = None
    while not world.told("stop"):
        id = new_id()
        while True:
            try:
                peer = peer or Amqp(world.setup["amqp"][code], code)
                peer.publish("request.information", id, f"<message>{id}".encode(), XML)
                break
            except AWAY:
                peer = None
                time.sleep(0.1)
        world.refused.write(id=id, by=code)
        time.sleep(0.3)


@must_live
def register_papers(world):
    clerk.work(world, CENTRE, AWAY)


@must_live
def read_queue(world, code, answering):
    seen = set()
    while not world.told("end"):
        try:
            for letter in Amqp(world.setup["amqp"][code], code).letters():
                if world.told("end"):
                    return
                if letter is None:
                    continue
                facts = essence(letter.content, letter.content_type)
                handed = {"times": letter.times_before, "redelivered": letter.redelivered}
                world.received.write(at=code, property=letter.id, kind=letter.type, **facts, **handed)
                # The centre's own duties are its people's: it answers no paper here.
                if code != CENTRE and letter.type == "request.information" and letter.id not in seen:
                    seen.add(letter.id)
                    answer(world, code, (letter.id, answering))
        except AWAY:
            time.sleep(0.1)


@must_live
def read_inbox(world, code, answering):
    http, seen = world.http(code), set()
    while not world.told("end"):
        time.sleep(0.1)
        try:
            status, page = http.call("GET", "/api/v1/inbox?after=0")
            for letter in json.loads(page)["letters"] if status == 200 else []:
                content = letter["content"].encode()
                facts = essence(content, letter["content_type"])
                world.received.write(at=code, property=letter["id"], kind="inbox", **facts, times=0, redelivered=False)
                register(world, http, (code, letter, len(seen) + 1))
                if letter["id"] not in seen:
                    seen.add(letter["id"])
                    answer(world, code, (letter["id"], answering))
        except AWAY:
            pass


def register(world, http, registering):
    """Until it is answered, under one number: the letter leaves the inbox when it is registered, and is not seen again."""
    code, letter, number = registering
    notice = {"accepted": True, "content_sha256": letter["content_sha256"], "number": f"вх-{number}"}
    while True:
        try:
            status, shown = http.post(f"/api/v1/inbox/{letter['id']}/registration", notice)
            if status == 200:
                shown = json.loads(shown)
                stands = {"state": shown["state"], "number": shown["registration_number"]}
                return world.registered.write(at=code, id=letter["id"], **stands)
            if status < 500:
                raise SystemExit(f"registration of {letter['id']}: {status} {shown.decode()}")
        except AWAY:
            pass
        time.sleep(0.05)


def answer(world, code, about):
    """Four of five requests; which, follows from the id."""
    asked, answering = about
    if hashlib.sha256(f"{asked} {code}".encode()).digest()[0] % 5:
        answering[code].put(reply(asked, code))


def essence(content, content_type):
    """What a letter says of itself, in either format."""
    digest = hashlib.sha256(content).hexdigest()
    if content_type.startswith(JSON):
        value = json.loads(content)
        number = (value["body"].get("registration") or {}).get("number")
        named = value["id"], value.get("in_reply_to"), value["type"], number, value["body"].get("code")
    else:
        root = etree.fromstring(content)
        places = ("id",), ("in_reply_to",), ("type",), ("body", "registration", "number"), ("body", "code")
        named = [text_at(root, *place) for place in places]
    return dict(zip(("id", "answers", "type", "number", "code"), named), sha256=digest)


def main():
    with open(sys.argv[1]) as file:
        world = World(json.load(file))
    works = [
        (ask,),
        (send_over_amqp, CENTRE),
        (send_over_amqp, BY_QUEUE),
        (send_over_http, CENTRE),
        (send_over_http, BY_BOTH),
        (send_over_http, BY_INBOX),
    ]
    if "desk" in world.setup:
        works += [(send_rubbish, BY_QUEUE), (register_papers,)]
    readers = [
        (read_queue, CENTRE, world.amqp_out),
        (read_queue, BY_QUEUE, world.amqp_out),
        (read_queue, BY_BOTH, world.http_out),
        (read_inbox, BY_INBOX, world.http_out),
    ]
    for work, *arguments in works:
        threading.Thread(target=work, args=(world, *arguments), daemon=True).start()
    reading = [threading.Thread(target=work, args=(world, *arguments), daemon=True) for work, *arguments in readers]
    for thread in reading:
        thread.start()
    for thread in reading:
        thread.join()


if __name__ == "__main__":
    main()
