# SPDX-License-Identifier: MIT
"""The commands for RabbitMQ in docs/operations.md, as they stand there."""

import pathlib
import re
import shlex
import unittest

from amps import Amps, wait_until
from broker import BrokerTest, event
from workload import Workload

MANUAL = pathlib.Path(__file__).parents[2] / 'docs/operations.md'


class Operations(BrokerTest):
    """The manual's queue is called `orders`, and its user `amps`."""

    def control(self, command):
        """Runs a command of rabbitmqctl that the manual shows."""
        text = MANUAL.read_text(encoding='utf-8')
        block = next(block for block in re.findall(r'```sh\n(.*?)```', text, re.DOTALL)
                     if command in block)
        words = shlex.split(block, comments=True)
        self.assertEqual(words[:2], ['rabbitmqctl', command])
        self.node.control(*words[1:])

    def wait_counts(self, **expected):
        """Waits until these are the queues, dots as underscores, and how many are in each."""
        def look():
            lines = self.node.control('-q', 'list_queues', 'name', 'messages').splitlines()
            return {name.replace('.', '_'): int(count) for name, count in map(str.split, lines[1:])}
        wait_until(lambda: look() == expected, what=f'{expected} in the queues')

    def run_jobs(self, answer, count):
        """Runs all jobs as the user of the manual; returns what was POSTed."""
        uri = self.node.uri.replace('guest:guest', 'amps:secret')
        with Workload(answer) as workload, Amps(uri, 'orders', workload) as amps:
            wait_until(lambda: amps.metric('amps_workloads_acknowledged_total') +
                       amps.metric('amps_workloads_rejected_total') == count, what='all ends')
            wait_until(lambda: amps.get('/jobs').json['jobs'] == [], what='the end of all')
            self.assertTrue(amps.is_ready(), amps.get('/readyz').body)
            self.assertEqual(amps.post('/publish', event('x', type='results')).status, 202)
            self.assertEqual(amps.stop(), 0)
        return {(post.id, post.headers['Amps-Attempt']) for post in workload.posts}

    def test_permissions_are_enough_and_dead_letters_come_back(self):
        queue, _ = self.queue(name='orders'), self.queue(name='results')
        self.node.control('add_user', 'amps', 'secret')
        self.control('set_permissions')

        def answer(post):
            if post.id == 'again' and post.headers['Amps-Attempt'] == '1':
                # Long enough to wait at the broker.
                return 500, {'Retry-After': '2'}, b''
            if post.id == 'bad':
                post.tell('/reject', reason='it is bad')
            else:
                post.acknowledge()
            return 202

        for name in ('good', 'again', 'bad'):
            queue.publish(event(name))
        self.assertEqual(self.run_jobs(answer, 3),
                         {('good', '1'), ('again', '1'), ('again', '2'), ('bad', '1')})
        self.wait_counts(orders=0, orders_dead=1, orders_retry_2s=0, results=1)

        plugins = self.node.folder / 'enabled_plugins'
        plugins.write_text('[rabbitmq_shovel].\n', encoding='ascii')
        self.node.control('eval', f'rabbit_plugins:ensure("{plugins}").')
        self.control('set_parameter')
        self.wait_counts(orders=1, orders_dead=0, orders_retry_2s=0, results=1)
        wait_until(lambda: 'redrive' not in self.node.control('list_parameters'),
                   what='the end of the shovel')
        self.assertEqual(self.run_jobs(lambda post: (post.acknowledge(), 202)[1], 1),
                         {('bad', '1')})
        self.wait_counts(orders=0, orders_dead=0, orders_retry_2s=0, results=2)


if __name__ == '__main__':
    unittest.main()
