#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A workload for AMPS that books payments, a moment each.

AMPS POSTs every job here. This program answers 202 at once, which accepts the job,
and then works. The outcome follows with a call to the API of AMPS:
/acknowledge when the job is done, /reject with a reason if it can never be done.
A job that is not finished in JOB_TIMEOUT, because this program crashed or was
too slow, is POSTed again. On SIGTERM it finishes the jobs that it has, and ends.

Settings, from the environment: HOST (127.0.0.1), PORT (5050), WORK_SECONDS (0.2),
WORKERS (20), and API_TOKEN, if AMPS has one.
"""

import concurrent.futures
import http.server
import json
import os
import random
import signal
import threading
import time
import urllib.error
import urllib.request

WORK_SECONDS = float(os.environ.get('WORK_SECONDS', '0.2'))
workers = concurrent.futures.ThreadPoolExecutor(int(os.environ.get('WORKERS', '20')))


def book(payment):
    """What a real workload has instead of this: the work."""
    time.sleep(WORK_SECONDS * random.uniform(0.5, 1.5))
    if payment['amount'] < 0:
        raise ValueError(f"amount {payment['amount']} is negative")


def settle(api, call, **outcome):
    """Tells AMPS what became of a job."""
    headers = {'Content-Type': 'application/json'}
    if 'API_TOKEN' in os.environ:
        headers['Authorization'] = f"Bearer {os.environ['API_TOKEN']}"
    request = urllib.request.Request(f'{api}/{call}', json.dumps(outcome).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=10):
            pass
    except urllib.error.URLError as error:
        # Nothing is lost: AMPS holds the job, or has given it back to the queue.
        print(f'{call}: {error}', flush=True)


def run(api, job_id, event):
    """Does one job and settles it."""
    try:
        book(event['data'])
    except (KeyError, TypeError, ValueError) as error:
        settle(api, 'reject', identifier=job_id, reason=str(error))
    else:
        settle(api, 'acknowledge', identifier=job_id)


class Workload(http.server.BaseHTTPRequestHandler):
    """Takes jobs on: answers first, and leaves the work to the threads."""

    protocol_version = 'HTTP/1.1'  # Keeps connections open, which AMPS uses again.

    def do_POST(self):
        event = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        workers.submit(run, self.headers['Amps-Api'], self.headers['Amps-Job-Id'], event)
        self.send_response(202)
        self.send_header('Content-Length', '0')
        self.end_headers()

    def log_message(self, *_):
        """Says nothing of each request."""


if __name__ == '__main__':
    port = int(os.environ.get('PORT', '5050'))
    host = os.environ.get('HOST', '127.0.0.1')
    server = http.server.ThreadingHTTPServer((host, port), Workload)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
    server.server_close()
    workers.shutdown()
