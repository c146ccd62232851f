#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What one would write instead of using AMPS, in Python: one job after the other.

Environment: BROKER_HOST, BROKER_SUBJECT, MAX_CONCURRENCY, WORKLOAD_ADDRESS.
"""

import http.client
import os
import urllib.parse

import pika


def main():
    """Consumes until it is ended."""
    workload = http.client.HTTPConnection(urllib.parse.urlsplit(os.environ['WORKLOAD_ADDRESS']).netloc)
    channel = pika.BlockingConnection(pika.URLParameters(os.environ['BROKER_HOST'])).channel()

    def on_message(channel, method, _, body):
        workload.request('POST', '/', body, {'Content-Type': 'application/json'})
        answer = workload.getresponse()
        answer.read()
        if 200 <= answer.status < 300:
            channel.basic_ack(method.delivery_tag)
        else:
            channel.basic_nack(method.delivery_tag)

    channel.basic_qos(prefetch_count=int(os.environ['MAX_CONCURRENCY']))
    channel.basic_consume(os.environ['BROKER_SUBJECT'], on_message)
    channel.start_consuming()


if __name__ == '__main__':
    main()
