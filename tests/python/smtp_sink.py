"""A real SMTP server for the tests: takes mail on loopback and writes each one down before it says 250.

Usage: smtp_sink.py LOG PORT [CERTIFICATE_PEM]. Prints its port. With a certificate, STARTTLS is required. Each mail is
one JSON object a line in LOG. A recipient whose name begins with `full` is refused for now (452), `gone` for good (550),
both in words that name it; after the data of a mail to `drop` it hangs up without a word, and writes the mail down as
dropped.
"""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP


class Sink:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("full"):
            return f"452 <{address}>: mailbox is full"
        if address.startswith("gone"):
            return f"550 <{address}>: no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        line = {
            "id": mail["message-id"],
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "subject": str(mail["subject"]),
            "date": str(mail["date"]),
            "automatic": str(mail["auto-submitted"]),
            "tls": session.ssl is not None,
            "text": mail.get_content(),
            "dropped": any(address.startswith("drop") for address in envelope.rcpt_tos),
        }
        with open(sys.argv[1], "a", encoding="utf-8") as log:
            log.write(json.dumps(line, ensure_ascii=False) + "\n")
            log.flush()
        if line["dropped"]:
            server.transport.abort()
        return "250 taken"


async def main():
    context = None
    if len(sys.argv) > 3:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[3])
    loop = asyncio.get_running_loop()

    def conversation():
        return SMTP(Sink(), hostname="sink.example", tls_context=context, require_starttls=context is not None)

    server = await loop.create_server(conversation, "127.0.0.1", int(sys.argv[2]))
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
