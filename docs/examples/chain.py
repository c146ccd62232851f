#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two workloads of a chain: orders become invoices, and invoices are sent.

Started by chain.sh, as `chain.py orders` and as `chain.py invoices`.
"""

import http.server
import json
import os
import sys
import threading
import urllib.request


def call(api, path, **members):
    """Calls the AMPS that brought the job."""
    request = urllib.request.Request(api + path, json.dumps(members).encode(), {
        'Content-Type': 'application/cloudevents+json' if path == '/publish'
                        else 'application/json'})
    with urllib.request.urlopen(request, timeout=10):
        pass


def orders(api, event):
    """Writes the invoice: the job that the next workload gets."""
    # The same id whenever the order comes again, so that nobody pays twice.
    call(api, '/publish', specversion='1.0', id=f"invoice-{event['id']}", source='/orders',
         type='invoices', data={'order': event['id'], 'total': event['data']['amount'] * 7})


def invoices(_, event):
    """Sends the invoice."""
    print(f"order {event['data']['order']}: {event['data']['total']} EUR\n", end='', flush=True)


def run(api, job_id, event):
    """Does one step and settles the job. After a failure AMPS brings it again, a little later."""
    try:
        STEPS[sys.argv[1]](api, event)
        call(api, '/acknowledge', identifier=job_id)
    except (OSError, KeyError) as error:
        print(f"{event['id']}: {error}", file=sys.stderr, flush=True)
        try:
            call(api, '/reject', identifier=job_id, reschedule=True, delay='1s')
        except OSError:
            pass  # AMPS is not there. It has the job, which will expire and come again.


class Workload(http.server.BaseHTTPRequestHandler):
    """Takes jobs on: answers first, and then works."""

    protocol_version = 'HTTP/1.1'

    def do_POST(self):
        """Takes one job."""
        event = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        threading.Thread(target=run, args=(self.headers['Amps-Api'], self.headers['Amps-Job-Id'],
                                           event)).start()
        self.send_response(202)
        self.send_header('Content-Length', '0')
        self.end_headers()

    def log_message(self, *_):
        """Says nothing of each request."""


STEPS = {'orders': orders, 'invoices': invoices}

if __name__ == '__main__':
    http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])),
                                    Workload).serve_forever()
