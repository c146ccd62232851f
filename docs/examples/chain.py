#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two workloads of a chain: orders become invoices, and invoices are sent.

Started by chain.sh, as `chain.py orders` and as `chain.py invoices`.
"""

import http.server
import json
import os
import sys
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


class Workload(http.server.BaseHTTPRequestHandler):
    """Does the work while AMPS waits for the answer, and settles it before that."""

    protocol_version = 'HTTP/1.1'

    def do_POST(self):
        """Takes one job. A failure is a 500: AMPS brings the job again."""
        event = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        api = self.headers['Amps-Api']
        try:
            STEPS[sys.argv[1]](api, event)
            call(api, '/acknowledge', identifier=self.headers['Amps-Job-Id'])
            self.send_response(204)
        except (OSError, KeyError) as error:
            print(f"{event['id']}: {error}", file=sys.stderr, flush=True)
            self.send_response(500)
            self.send_header('Content-Length', '0')
        self.end_headers()

    def log_message(self, *_):
        """Says nothing of each request."""


STEPS = {'orders': orders, 'invoices': invoices}

if __name__ == '__main__':
    http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])),
                                    Workload).serve_forever()
