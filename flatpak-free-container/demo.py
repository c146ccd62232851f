# SPDX-License-Identifier: MIT
"""Starts a broker, AMPS and a workload, publishes jobs and shows them flowing.

Started by the script `demo`, which installs and builds first.
"""

import argparse
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import view
from rabbitmq_node import RabbitMQNode, end_group, free_port

SOURCE = pathlib.Path(__file__).resolve().parent.parent
QUEUE = 'payments'
MAX_CONCURRENCY = 20
JOBS_PER_SECOND = 150  # A pace that an eye can follow.
REJECTED_EVERY = 25


class Failure(Exception):
    """The demo cannot go on; says why."""


class RabbitMQ:
    """The broker for grown-ups."""

    name = 'RabbitMQ'

    def __init__(self, folder):
        self.node = RabbitMQNode(folder / 'rabbitmq')
        self.uri = self.node.uri
        self.start = self.node.start
        self.stop = self.node.stop


class Embedded:
    """The broker inside AMPS: a file."""

    name = 'the embedded broker'

    def __init__(self, folder):
        self.uri = f'sqlite://{folder}/queue.db'

    def start(self):
        """AMPS opens the file."""

    def stop(self):
        """AMPS has closed it."""


BROKERS = {'rabbitmq': RabbitMQ, 'embedded': Embedded}


class Demo:
    """All that runs, and the calls to it."""

    def __init__(self, amps, folder, broker, jobs):
        self.amps = amps
        self.folder = folder
        self.jobs = jobs
        self.broker = BROKERS[broker](folder)
        self.port = free_port()
        self.metrics_port = free_port()
        self.workload_port = free_port()
        self.processes = {}
        self.published = 0
        self.publisher_error = None

    def start(self):
        """Starts everything at once: AMPS waits for whatever comes later."""
        self.broker.start()
        self._spawn('workload', [sys.executable, str(SOURCE / 'docs/examples/workload.py')], {
            'PORT': str(self.workload_port),
            'WORKERS': str(MAX_CONCURRENCY),
        })
        self._spawn('amps', [self.amps], {
            'BROKER_HOST': self.broker.uri,
            'BROKER_SUBJECT': QUEUE,
            'QUEUE_DECLARE': 'auto',
            'MAX_CONCURRENCY': str(MAX_CONCURRENCY),
            'WORKLOAD_ADDRESS': f'http://127.0.0.1:{self.workload_port}',
            'PORT': str(self.port),
            'METRICS_PORT': str(self.metrics_port),
        })

    def _spawn(self, name, command, environment):
        # Their own groups: Ctrl-C is for the demo, which then ends them in order.
        with (self.folder / f'{name}.log').open('wb') as log:
            self.processes[name] = subprocess.Popen(
                command, cwd=self.folder, env=dict(os.environ, no_proxy='127.0.0.1', **environment),
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True)

    def stop(self):
        """Ends everything, AMPS first and politely."""
        for name in ('amps', 'workload'):
            if name in self.processes:
                end_group(self.processes.pop(name))
        self.broker.stop()

    def check(self):
        """Raises if something has ended, or the publisher has failed."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise Failure(f'{name} ended with status {process.returncode}')
        if self.publisher_error is not None:
            raise Failure(self.publisher_error)

    def get(self, port, path):
        """Returns status and body of a GET, or None if nobody answers (yet)."""
        connection = http.client.HTTPConnection('127.0.0.1', port, timeout=5)
        try:
            connection.request('GET', path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return None
        finally:
            connection.close()

    def wait_until_ready(self, timeout=120):
        """Returns once AMPS consumes."""
        end = time.monotonic() + timeout
        answer = None
        while time.monotonic() < end:
            self.check()
            answer = self.get(self.port, '/readyz')
            if answer is not None and answer[0] == 200:
                return
            time.sleep(0.1)
        raise Failure(f'AMPS was not ready after {timeout} s: {answer}')

    def publish(self):
        """Publishes all jobs through AMPS; runs in a thread of its own."""
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=30)
        start = time.monotonic()
        try:
            for number in range(1, self.jobs + 1):
                connection.request('POST', '/publish', json.dumps(self._event(number)),
                                   {'Content-Type': 'application/cloudevents+json'})
                answer = connection.getresponse()
                detail = answer.read().decode()
                if answer.status != 202:
                    raise Failure(f'/publish answered {answer.status}: {detail}')
                self.published = number
                time.sleep(max(0, start + number / JOBS_PER_SECOND - time.monotonic()))
        except (Failure, OSError, http.client.HTTPException) as error:
            self.publisher_error = f'job {self.published + 1} could not be published: {error}'

    @staticmethod
    def _event(number):
        negative = number % REJECTED_EVERY == 0
        return {
            'specversion': '1.0',
            'id': f'payment-{number}',
            'source': '/demo',
            'type': QUEUE,
            'data': {'amount': -1 if negative else number},
        }

    def progress(self):
        """What AMPS says of itself, as counted by its metrics."""
        health = self.get(self.port, '/health/detailed')
        metrics = self.get(self.metrics_port, '/metrics')
        if health is None or metrics is None:
            return None
        return view.Progress(
            jobs=self.jobs,
            published=self.published,
            in_flight=metric(metrics[1], 'amps_jobs_in_flight'),
            acknowledged=metric(metrics[1], 'amps_job_outcomes_total{outcome="acknowledged"}'),
            rejected=metric(metrics[1], 'amps_job_outcomes_total{outcome="rejected"}'),
            limit=MAX_CONCURRENCY,
            connected=bool(json.loads(health[1]).get('connected')),
        )

    def follow(self, screen):
        """Shows the jobs until each has its outcome."""
        threading.Thread(target=self.publish, daemon=True).start()
        last_change = time.monotonic()
        settled = -1
        while True:
            self.check()
            progress = self.progress()
            if progress is not None:
                screen.show(progress)
                if progress.settled >= self.jobs:
                    return progress
                if progress.settled != settled:
                    settled, last_change = progress.settled, time.monotonic()
            if time.monotonic() > last_change + 60:
                raise Failure(f'no job has ended for a minute: {progress}')
            time.sleep(screen.interval)


def metric(text, name):
    """A value of the Prometheus text format; 0 where it has not appeared yet."""
    found = re.search(rf'^{re.escape(name)} (\S+)$', text, re.MULTILINE)
    return int(float(found.group(1))) if found else 0


def how_to_go_on(demo):
    """What a person can do with all that runs."""
    api = f'http://127.0.0.1:{demo.port}'
    event = json.dumps({**Demo._event(1), 'id': 'mine'})
    return f"""
Everything is still running:
  publish a job     curl {api}/publish -H 'Content-Type: application/cloudevents+json' -d '{event}'
  see it live       open {api}/ in a browser
  how it is         curl {api}/health/detailed
  jobs in flight    curl {api}/jobs
  metrics           curl http://127.0.0.1:{demo.metrics_port}/metrics
  RabbitMQ, logs    {demo.broker.uri}, {demo.folder}
Press Ctrl-C to end it."""


def run(demo, keep):
    """The demo from start to end."""
    print(f'Starting {demo.broker.name}, AMPS and docs/examples/workload.py.', flush=True)
    start = time.monotonic()
    demo.start()
    demo.wait_until_ready()
    print(f'Ready after {time.monotonic() - start:.1f} s. Publishing {demo.jobs} jobs, each some '
          f'0.2 s of work, of which AMPS lets {MAX_CONCURRENCY} run at once.\n', flush=True)

    screen = view.Screen(sys.stdout)
    end = demo.follow(screen)
    screen.finish(end)
    print('Each job reached its outcome. The rejected ones had a negative amount: they wait\n'
          f'with that reason in the queue {QUEUE}.dead, where nothing is lost.')
    if keep:
        print(how_to_go_on(demo), flush=True)
        while True:
            demo.check()
            time.sleep(0.5)
    print('\nGo on with:  flatpak-free-container/demo --keep   to play with it\n'
          '             docs/examples/workload.py            to write a workload of your own\n'
          '             README.md                            to run AMPS beside it')


def last_lines(path, count=15):
    """The end of a log, for a person to see what went wrong."""
    lines = path.read_text(errors='replace').splitlines()[-count:]
    return ''.join(f'  {line}\n' for line in lines)


def main():
    """Runs the demo in a folder that is gone afterwards."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument('--amps', required=True, help='the binary')
    parser.add_argument('--jobs', type=int, required=True)
    parser.add_argument('--broker', choices=BROKERS, required=True)
    parser.add_argument('--keep', action='store_true')
    options = parser.parse_args()

    def interrupt(*_):
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)

    folder = pathlib.Path(tempfile.mkdtemp(prefix='amps-demo-'))
    demo = Demo(options.amps, folder, options.broker, options.jobs)
    try:
        run(demo, options.keep)
        return 0
    except KeyboardInterrupt:
        print('\nEnding the demo.')
        return 130
    except Failure as failure:
        print(f'\nThe demo failed: {failure}', file=sys.stderr)
        for log in sorted(folder.rglob('*.log')):
            if log.stat().st_size > 0:
                print(f'The end of {log.name}:\n{last_lines(log)}', file=sys.stderr)
        return 1
    finally:
        # A second Ctrl-C is not to leave half of it behind.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        demo.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    sys.exit(main())
