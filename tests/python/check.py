"""The checker: joins the client's own ledgers with what the gateway answers over its API. Prints a table.

Usage: check.py FILE [PATIENCE_S [STILL_S]], with FILE as for load.py. Waits until all is as it must be, PATIENCE_S at most
(within 60 s after the faults have healed no accepted message may hang), or until the faults are the same for STILL_S;
ends with 1 and every fault if it never is.
Promises: each message that the broker or the gateway confirmed to the client is registered once, under one number of a
row without gaps; each letter came at least once, under one id, with the same bytes each time; each request opened one
obligation for each body, closed where the answer was confirmed and only there; the receipt of a request came before the
answers to it; what could not be taken was refused under
one id and is kept; what came overdue on paper has climbed, no rung of it twice.
Never: looks into the gateway's tables; calls a repeat under the same id a doubling (AMQP promises «at least once»), and
never passes over one: repeats are counted in the table.
"""

import json
import re
import sys
import time
from collections import Counter, defaultdict

import ledger
from load import BY_BOTH, BY_INBOX, BY_QUEUE, CENTRE
from peer import Http

EVERYBODY = (CENTRE, BY_QUEUE, BY_BOTH, BY_INBOX)


class Ledgers:
    """What the client knows."""

    def __init__(self, folder):
        # What follows is read before what precedes it, because the client goes on writing.
        self.registered = ledger.read(folder, "registered")
        self.received = ledger.read(folder, "received")
        self.refused = {line["id"] for line in ledger.read(folder, "refused")}
        self.confirmed = {line["id"]: line for line in ledger.read(folder, "confirmed")}
        attempts = ledger.read(folder, "sent")
        self.attempts = len(attempts)
        self.sent = {line["id"]: line for line in attempts}
        self.by_queue = {id for id, line in self.confirmed.items() if line["via"] == "amqp"}

    def of(self, code):
        """What a participant has sent, as far as it was confirmed."""
        return {id for id in self.confirmed if self.sent[id]["from"] == code}

    def papers(self):
        return {id for id, line in self.confirmed.items() if line["via"] == "desk"}

    def to(self, code):
        return {id for id in self.confirmed if code in self.sent[id]["to"]}

    def answers(self):
        """Confirmed answers, by request and body."""
        replies = [line for id, line in self.sent.items() if id in self.confirmed and line["in_reply_to"]]
        return {(line["in_reply_to"], line["from"]): line["id"] for line in replies}


class Chronologies(dict):
    """Each exchange as the centre is shown it, when it is asked for."""

    def __init__(self, http):
        super().__init__()
        self.http = http

    def __missing__(self, id):
        return self.http.get(f"/api/v1/exchanges/{id}")


class Faults:
    """What is not as it must be, with some examples of each."""

    def __init__(self):
        self.found = []

    def equal(self, what, seen, expected):
        seen, expected = Counter(seen), Counter(expected)
        for word, difference in (("missing", expected - seen), ("too many", seen - expected)):
            if difference:
                some = ", ".join(str(one) for one in list(difference)[:5])
                self.found.append(f"{what}: {word}: {sum(difference.values())} ({some})")

    def hold(self, what, is_so):
        if not is_so:
            self.found.append(what)


def numbers(lines):
    """`7/2026` as (2026, 7)."""
    return [tuple(int(part) for part in reversed(one["number"].split("/"))) for one in lines]


def check_register(faults, code, lines, direction):
    """A register without gaps: 1, 2, 3 … in every year."""
    years = defaultdict(list)
    for year, number in numbers(one for one in lines if one["direction"] == direction):
        years[year].append(number)
    for year, found in years.items():
        faults.equal(f"{direction} numbers of {code} in {year}", found, range(1, len(found) + 1))


def check_journals(faults, book, journals):
    for code, lines in journals.items():
        sides = {side: [one["message"] for one in lines if one["direction"] == side] for side in ("outgoing", "incoming")}
        faults.equal(f"outgoing journal of {code}", sides["outgoing"], book.of(code))
        faults.equal(f"incoming journal of {code}", sides["incoming"], book.to(code))
        for side in sides:
            check_register(faults, code, lines, side)


def check_receipts(faults, book, journals):
    """One receipt for each message of the queue, and everywhere the same number for the same message."""
    receipts = [line for line in book.received if line["type"] == "receipt.delivery"]
    ids = {(line["answers"], line["id"]) for line in receipts}
    faults.equal("messages with a receipt", (answered for answered, _ in ids), book.by_queue)
    refused = [line for line in book.received if line["type"] == "receipt.refusal"]
    codes = {line["code"] for line in refused if line["answers"] not in book.refused}
    faults.hold(f"refused, and why: {codes}", not codes)
    refusals = {(line["answers"], line["id"]) for line in refused}
    faults.equal("messages that were refused", (answered for answered, _ in refusals), book.refused)
    stated = {(line["answers"], line["number"]) for line in receipts}
    stated |= {(id, line["number"]) for id, line in book.confirmed.items() if line["via"] == "http"}
    outgoing = [one for lines in journals.values() for one in lines if one["direction"] == "outgoing"]
    registered = {(one["message"], one["number"]) for one in outgoing}
    faults.equal("numbers of the receipts against the journals", stated, registered)


def check_letters(faults, book):
    """At each body exactly what is addressed to it and its own receipts, whatever the number of times."""
    for code in EVERYBODY:
        here = [line for line in book.received if line["at"] == code]
        faults.equal(f"letters at {code}", {line["id"] for line in here if line["type"][:8] != "receipt."}, book.to(code))
        strangers = {line["answers"] for line in here if line["type"][:8] == "receipt."} - book.of(code) - book.refused
        faults.hold(f"receipts at {code} of others' messages: {strangers}", not strangers)
        one_id = all(line["id"] == line["property"] for line in here)
        faults.hold(f"a letter at {code} bears another id than its properties", one_id)
        contents = defaultdict(set)
        for line in here:
            contents[line["id"]].add(line["sha256"])
        changed = [id for id, digests in contents.items() if len(digests) > 1]
        faults.hold(f"repeats at {code} with other bytes: {changed[:5]}", not changed)
    pulled = [line["id"] for line in book.registered if line["state"] == "registered"]
    faults.equal(f"letters that {BY_INBOX} registered", pulled, book.to(BY_INBOX))
    given = [line["number"] for line in book.registered]
    faults.equal(f"numbers that {BY_INBOX} gave", given, [f"вх-{count + 1}" for count in range(len(given))])


def check_order(faults, book):
    """Of an exchange the centre's queue gets first the receipt of the request, then the answers to it."""
    first = {}
    for place, line in enumerate(line for line in book.received if line["at"] == CENTRE):
        about = ("receipt", line["answers"]) if line["type"] == "receipt.delivery" else ("letter", line["id"])
        first.setdefault(about, place)
    answered = [(id, book.sent[id]["in_reply_to"]) for kind, id in first if kind == "letter" and id in book.sent]
    asked = [(id, request) for id, request in answered if request in book.by_queue]
    early = [id for id, request in asked if first.get(("receipt", request), len(book.received)) > first["letter", id]]
    faults.hold(f"answers that came before the receipt of their request: {len(early)} ({early[:5]})", not early)


def check_obligations(faults, book, shown):
    """One for each pair of request and body; fulfilled exactly where the answer was confirmed."""
    answered = book.answers()
    pairs = [(id, code) for id in book.of(CENTRE) for code in book.sent[id]["to"]]
    expected = [(*pair, "fulfilled" if pair in answered else "running") for pair in pairs]
    found = [(one["exchange"], one["performer"]["code"], one["state"]) for one in shown]
    faults.equal("obligations", found, expected)


def check_ladders(faults, papers, chronologies):
    """What came on paper weeks ago is overdue: its ladder has climbed, and no rung of it twice."""
    for id in papers:
        entries = chronologies[id]["entries"]
        rungs = [(one["kind"], one["detail"]) for one in entries if one["kind"].startswith("rung.")]
        fired = [detail for kind, detail in rungs if kind in ("rung.fired", "rung.prepared")]
        faults.hold(f"the paper {id} has not climbed: {rungs}", fired)
        faults.equal(f"rungs of the paper {id}", rungs, set(rungs))
        faults.hold(f"obligations of the paper {id}", len(chronologies[id]["obligations"]) == 1)


def check_figures(faults, page, refused):
    for name in ("conservation_gap", "outbox_waiting", "messages_parked", "message_conflicts", "quarantine"):
        found = re.search(rf"^mezhved_{name} (\S+)$", page, re.MULTILINE)
        value = float(found[1]) if found else -1
        # A crash between keeping and acknowledging keeps once more; it never loses.
        is_right = value >= refused if name == "quarantine" and refused else value == 0
        faults.hold(f"mezhved_{name} is {value}", is_right)


def check(setup):
    """One look at everything: the ledgers, and every fault."""
    https = {code: Http(setup["http"], setup["keys"][code]) for code in EVERYBODY}
    page = https[CENTRE].call("GET", "/metrics")[1].decode()
    journals = {code: http.get("/api/v1/journal")["lines"] for code, http in https.items()}
    shown = https[CENTRE].obligations("&direction=incoming")
    chronologies = Chronologies(https[CENTRE])
    book, faults = Ledgers(setup["ledger"]), Faults()
    unconfirmed = set(book.sent) - set(book.confirmed)
    faults.hold(f"sent and not confirmed yet: {len(unconfirmed)}", not unconfirmed)
    check_journals(faults, book, journals)
    check_receipts(faults, book, journals)
    check_letters(faults, book)
    check_order(faults, book)
    check_obligations(faults, book, shown)
    check_ladders(faults, book.papers(), chronologies)
    check_figures(faults, page, len(book.refused))
    return book, journals, shown, faults.found


def repeats(book):
    """Letters that came again under the same id: by the broker's hand, and published again by the gateway (after a
    crash, or a receipt once more because its message came once more)."""
    from_queues = [line for line in book.received if line["at"] != BY_INBOX]
    fresh = Counter((line["at"], line["id"]) for line in from_queues if not line["redelivered"])
    by_broker = sum(line["redelivered"] for line in book.received)
    return by_broker, sum(times - 1 for times in fresh.values())


def table(book, journals, shown):
    by_broker, published_again = repeats(book)
    receipts = {line["id"] for line in book.received if line["type"] == "receipt.delivery"}
    letters = {(line["at"], line["id"]) for line in book.received if line["type"] != "receipt.delivery"}
    states = Counter(one["state"] for one in shown)
    rows = [
        ("messages sent", len(book.sent)),
        ("  attempts, with the client's own repeats", book.attempts),
        ("  confirmed by the broker", len(book.by_queue)),
        ("  receipted over HTTP", len(book.confirmed) - len(book.by_queue) - len(book.papers())),
        ("  papers registered at the desk", len(book.papers())),
        ("refused, each under one id", len(book.refused)),
        ("registered, by the journals of the senders", sum(one["direction"] == "outgoing" for lines in journals.values() for one in lines)),
        ("  by receipts, each with one id", len(receipts)),
        ("letters owed to bodies", sum(len(book.sent[id]["to"]) for id in book.confirmed)),
        ("  received, each under one id", len(letters)),
        ("  handed out again by the broker (same id)", by_broker),
        ("  published again by the gateway (same id)", published_again),
        ("obligations", len(shown)),
        ("  fulfilled", states["fulfilled"]),
        ("  running, not answered", states["running"]),
    ]
    return "\n".join(f"{what:<48}{count:>8}" for what, count in rows)


def main():
    with open(sys.argv[1]) as file:
        setup = json.load(file)
    patience_s = float(sys.argv[2]) if len(sys.argv) > 2 else 60
    still_s = float(sys.argv[3]) if len(sys.argv) > 3 else patience_s
    begun = changed = time.monotonic()
    before = None
    while True:
        book, journals, shown, faults = check(setup)
        waited_s = time.monotonic() - begun
        if faults != before:
            before, changed = faults, time.monotonic()
        if not faults or waited_s > patience_s or time.monotonic() - changed > still_s:
            break
        time.sleep(0.5)
    print(table(book, journals, shown))
    if faults:
        raise SystemExit("NOT WHOLE:\n" + "\n".join(faults))
    print(f"0 lost, 0 doubled; whole after {waited_s:.1f} s")


if __name__ == "__main__":
    main()
