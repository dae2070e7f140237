"""A participant's program over RabbitMQ: publishes a message, and prints what comes to the participant's own queue.

    amqp_client.py URL send FILE.xml|FILE.json    publishes one message, confirmed by the broker
    amqp_client.py URL listen [COUNT]             prints what comes, one JSON object a line; COUNT of them, else for ever

URL is amqp://USER:PASSWORD@HOST:PORT/VHOST; USER is the participant's code. Needs pika (pip install pika).
"""

import json
import pathlib
import re
import sys

import pika

MEDIA_TYPES = {".json": "application/json", ".xml": "application/xml"}


def sent(content, suffix):
    """The envelope's id and type: the properties repeat them."""
    if suffix == ".json":
        envelope = json.loads(content)
        return envelope["id"], envelope["type"]
    text = content.decode()
    return tuple(re.search(rf"<{name}>\s*(.*?)\s*</{name}>", text).group(1) for name in ("id", "type"))


def send(channel, user, file):
    content, suffix = file.read_bytes(), file.suffix
    message_id, message_type = sent(content, suffix)
    properties = pika.BasicProperties(
        user_id=user,  # the broker checks it: it names the sender
        message_id=message_id,  # the envelope's id; the same again when you send again
        type=message_type,
        content_type=MEDIA_TYPES[suffix],
        delivery_mode=pika.DeliveryMode.Persistent,
    )
    channel.confirm_delivery()
    # Raises when the broker does not confirm: then send again, under the same id.
    channel.basic_publish("mezhved.in", message_type, content, properties, mandatory=True)
    print(f"confirmed: {message_type} {message_id}", file=sys.stderr)


def listen(channel, user, count):
    channel.basic_qos(prefetch_count=16)
    for method, properties, content in channel.consume(f"mezhved.out.{user}"):
        line = {
            "id": properties.message_id,
            "exchange": properties.correlation_id,
            "type": properties.type,
            "content_type": properties.content_type,
            "content": content.decode(),
        }
        print(json.dumps(line, ensure_ascii=False), flush=True)
        # Only now, when it is kept: an unacknowledged letter comes again.
        channel.basic_ack(method.delivery_tag)
        count -= 1
        if count == 0:
            break


def main(url, verb, *arguments):
    parameters = pika.URLParameters(url)
    user = parameters.credentials.username
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    if verb == "send":
        send(channel, user, pathlib.Path(arguments[0]))
    else:
        listen(channel, user, int(arguments[0]) if arguments else -1)
    connection.close()


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[2] not in ("send", "listen"):
        sys.exit(__doc__)
    main(*sys.argv[1:])
