"""A webhook receiver of its own make: verifies Standard Webhooks with nothing of ours, and reports each request.

Usage: receiver.py SECRET_BASE64 [CERTIFICATE_PEM]. Prints its port, then one JSON object a line for each request.
The path says what to answer: /STATUS or /STATUS/RETRY_AFTER.
"""

import base64
import hashlib
import hmac
import http.server
import json
import ssl
import sys
import threading
import urllib.parse

LINES = threading.Lock()
SECRET = base64.b64decode(sys.argv[1])


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        signed = b".".join([self.headers["webhook-id"].encode(), self.headers["webhook-timestamp"].encode(), body])
        expected = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
        signatures = self.headers["webhook-signature"].split(" ")
        seen = {
            "verified": any(hmac.compare_digest(s, "v1," + expected) for s in signatures),
            "signatures": len(signatures),
            "id": self.headers["webhook-id"],
            "timestamp": int(self.headers["webhook-timestamp"]),
            "content_type": self.headers["content-type"],
            "user_agent": self.headers["user-agent"],
            "body": body.decode(),
        }
        # Requests come on threads of their own, and a line must not be cut by another.
        with LINES:
            print(json.dumps(seen), flush=True)
        words = urllib.parse.unquote(self.path).strip("/").split("/")
        self.send_response(int(words[0]))
        if len(words) > 1:
            self.send_header("Location" if words[0].startswith("3") else "Retry-After", words[1].replace("|", "/"))
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
