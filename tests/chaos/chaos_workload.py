# SPDX-License-Identifier: MIT
"""A workload that does its work most of the time."""

import concurrent.futures
import http.client
import http.server
import json
import random
import socket
import threading
import time
import urllib.parse


class Workload:
    """Listens on one port of 127.0.0.1; can die and come back, or answer with errors."""

    def __init__(self, port, ledger, seed):
        self.port = port
        self.failing = False
        self._ledger = ledger
        self._random = random.Random(seed)
        self._pool = concurrent.futures.ThreadPoolExecutor(128)
        self._local = threading.local()
        self._life = 0
        self._server = None

    def start(self):
        """Takes jobs."""
        workload = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            timeout = 60

            def do_GET(self):  # pylint: disable=invalid-name
                self.send_response(204)
                self.end_headers()

            def do_POST(self):  # pylint: disable=invalid-name
                body = self.rfile.read(int(self.headers['Content-Length']))
                workload.take(self, json.loads(body)['id'])

            def log_message(self, format, *arguments):  # pylint: disable=redefined-builtin
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 1024
            connections = set()

            def process_request(self, request, client_address):
                self.connections.add(request)
                super().process_request(request, client_address)

            def shutdown_request(self, request):
                self.connections.discard(request)
                super().shutdown_request(request)

            def handle_error(self, request, client_address):
                pass

        self._server = Server(('127.0.0.1', self.port), Handler)
        self._server.connections = set()
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def crash(self):
        """Dies: drops connections and forgets all jobs."""
        self._life += 1
        server, self._server = self._server, None
        server.shutdown()
        server.server_close()
        for connection in list(server.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._ledger.crashed()

    def take(self, request, identifier):
        """Answers one POST, by chance in one of the ways of real workloads."""
        worker = request.headers['Amps-Worker']
        self._ledger.posted(worker, identifier, int(request.headers['Amps-Attempt']))
        chance = self._random.random()
        life = self._life

        if self.failing or chance < 0.01:
            self._ledger.failed(worker, identifier)
            request.send_response(self._random.choice((500, 503, 429)))
            request.send_header('Content-Length', '0')
            request.end_headers()
            return

        api = request.headers['Amps-Api']
        early = chance < 0.3
        self._ledger.accepted(worker, identifier)
        if early:
            self._acknowledge(api, worker, identifier, life)
        try:
            request.send_response(204)
            request.end_headers()
        except OSError:
            self._ledger.failed(worker, identifier)
            raise
        if not early and chance > 0.002 + 0.3:
            self._pool.submit(self._work, api, worker, identifier, life)

    def _work(self, api, worker, identifier, life):
        # Now and then one takes so long that connections are lost meanwhile.
        longest = 4 if self._random.random() < 0.03 else 0.02
        time.sleep(self._random.random() * longest)
        self._acknowledge(api, worker, identifier, life)

    def _acknowledge(self, api, worker, identifier, life):
        body = json.dumps({'identifier': identifier})
        for _ in range(2):
            if life != self._life:
                return
            self._ledger.acknowledging(worker, identifier)
            try:
                connection = self._connection(api)
                connection.request('POST', '/acknowledge', body)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                self._local.__dict__.pop(api, None)
                continue
            self._ledger.acknowledged(worker, identifier, answer.status)
            return
        self._ledger.unanswered(worker, identifier)

    def _connection(self, api):
        kept = self._local.__dict__
        connection = kept.get(api)
        if connection is None:
            if len(kept) > 2:
                kept.pop(next(iter(kept))).close()  # That AMPS has ended long ago.
            address = urllib.parse.urlsplit(api)
            connection = http.client.HTTPConnection('127.0.0.1', address.port, timeout=30)
            kept[api] = connection
        return connection
