"""A server that speaks S3 (moto's, by other makers), in a process of its own, with one empty bucket.

Prints its port when it listens. What it holds is lost with it.
"""

import logging
import sys
import threading

import boto3
from moto.server import ThreadedMotoServer


def main() -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=int(sys.argv[1]), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    s3 = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    s3.create_bucket(Bucket="files")
    print(port, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
