"""A clerk of the centre at work beside the load: registers papers that came weeks ago, each with its scan.

Promises: each paper is in the ledgers like any message (`via` is `desk`); it is tried again under the same id and the
same bytes until it is receipted. Never: gives up; looks into the gateway's tables.

What came weeks ago is overdue when it is registered: so the ladder climbs at the next sweep, while somebody breaks things.
"""

import http.client
import json
import re
import time
import urllib.parse
from datetime import datetime, timedelta, timezone

from peer import new_id

BODY = "commission-test"
BACK_DAYS = 25
EVERY_S = 0.3


class Desk:
    """A person's session, begun by the login page as a browser does."""

    def __init__(self, base, person):
        self.host = urllib.parse.urlsplit(base).netloc
        form = urllib.parse.urlencode({**person, "next": "/"}).encode()
        status, headers, _ = self.call("POST", "/login", form, {"Content-Type": "application/x-www-form-urlencoded"})
        if status != 303:
            raise OSError(f"login: {status}")
        self.cookie = {"Cookie": headers["Set-Cookie"].split(";")[0]}
        status, _, page = self.call("GET", "/", None, {**self.cookie, "Accept": "text/html"})
        if status != 200:
            raise OSError(f"the board: {status}")
        self.csrf = re.search(r'name="csrf" value="([^"]*)"', page.decode())[1]

    def call(self, method, path, content, headers):
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def register(self, entry, scan):
        """Status and answer."""
        parts = [
            (b'name="entry"', json.dumps(entry, ensure_ascii=False).encode()),
            (b'name="scan"; filename="paper.pdf"', scan),
        ]
        body = b"".join(b"--b\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % part for part in parts) + b"--b--\r\n"
        kind = {"Content-Type": "multipart/form-data; boundary=b", "Accept": "application/json", "X-CSRF-Token": self.csrf}
        status, _, answer = self.call("POST", "/api/v1/desk/messages", body, {**self.cookie, **kind})
        return status, answer


def paper(centre):
    """A request of the commission on paper, as it came weeks ago."""
    came = datetime.now(timezone(timedelta(hours=8))) - timedelta(days=BACK_DAYS)
    at = came.isoformat(timespec="seconds")
    message = {
        "id": new_id(),
        "type": "request.information",
        "version": 1,
        "from": BODY,
        "to": [centre],
        "created_at": at,
        "summary": "Запрос на бумаге",
        "body": {
            "persons": [{"name": "Примеров Пример Примерович", "birth_date": "2014-03-09", "relation": "child"}],
            "questions": ["Состоит ли семья на учёте?"],
        },
    }
    return {"channel": "paper", "at": at, "message": message}


def work(world, centre, away):
    """Registers one paper after the other until the asking ends."""
    desk = None
    while not world.told("stop"):
        entry = paper(centre)
        scan = b"%PDF-1.7\n% plainly artificial, of " + entry["message"]["id"].encode()
        attempt = 0
        while True:
            world.wrote(entry["message"], "desk", attempt)
            try:
                desk = desk or Desk(world.setup["http"], world.setup["desk"])
                status, answer = desk.register(entry, scan)
                if status in (200, 202):
                    break
                if status < 500:
                    raise SystemExit(f"the desk: {status} {answer.decode()}")
            except away:
                pass
            attempt += 1
            time.sleep(0.05)
        world.confirmed.write(id=entry["message"]["id"], via="desk")
        time.sleep(EVERY_S)
