"""Ledgers: what a client itself did and saw, line by line, on disk before the next thing is done.

Promises: a line that was written survives whatever happens to any process. Never: takes anybody's word but the client's.
"""

import json
import os
import threading


class Ledger:
    """One kind of fact; many threads may write."""

    def __init__(self, folder, kind):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self.file = os.open(os.path.join(folder, f"{kind}.jsonl"), flags, 0o600)
        self.lock = threading.Lock()

    def write(self, **fact):
        line = json.dumps(fact, ensure_ascii=False).encode() + b"\n"
        with self.lock:
            os.write(self.file, line)
        os.fsync(self.file)


def read(folder, kind):
    """All facts of one kind. The last line may be under way while it is read."""
    try:
        with open(os.path.join(folder, f"{kind}.jsonl"), encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]
    except FileNotFoundError:
        return []
