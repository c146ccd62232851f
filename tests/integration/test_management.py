# SPDX-License-Identifier: MIT
"""An operator closes AMPS's connections, one by one, in RabbitMQ's management API."""

import base64
import json
import unittest
import urllib.parse
import urllib.request

from amps import Amps, wait_until
from broker import BrokerTest, event
from rabbitmq_node import free_port
from workload import Workload


class Management(BrokerTest):
    """What an operator does to connections and queues."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = free_port()
        plugins = cls.node.folder / 'enabled_plugins'
        plugins.write_text('[rabbitmq_management].\n', encoding='ascii')
        # What rabbitmq-plugins would do, but for the port.
        cls.node.control('eval', f'''
            application:set_env(rabbitmq_management, tcp_config,
                                [{{ip, "127.0.0.1"}}, {{port, {cls.port}}}]),
            application:set_env(rabbit, collect_statistics_interval, 500),
            rabbit_plugins:ensure("{plugins}").''')

    def call(self, method, path):
        """Calls the management API."""
        request = urllib.request.Request(
            f'http://127.0.0.1:{self.port}/api/{path}', method=method, headers={
                'Authorization': 'Basic ' + base64.b64encode(b'guest:guest').decode()})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or 'null')

    def connections(self):
        """Those of AMPS, by their name: the test's own is of another product."""
        return [connection['name'] for connection in self.call('GET', 'connections')
                if 'amps' in json.dumps(connection.get('client_properties', {})).lower()]

    def test_each_connection_is_closed(self):
        queue = self.queue()
        queue.publish(event('before'))
        with Workload(lambda _: 202) as workload, \
                Amps(self.node.uri, queue.name, workload).wait_ready() as amps:
            workload.wait(1)
            wait_until(lambda: len(self.connections()) == 2, what='both connections')
            closed = self.connections()
            for name in closed:
                self.call('DELETE', 'connections/' + urllib.parse.quote(name, safe=''))
                self.assertEqual(amps.get('/healthz').status, 200)
            amps.wait_log('is attached')
            wait_until(lambda: len(set(self.connections()) - set(closed)) == 2,
                       what='two new connections')
            amps.wait_ready()

            # Both of them work, and the job went on without being POSTed again.
            self.assertEqual(workload.posts[0].acknowledge(), 202)
            self.assertEqual(amps.post('/publish', event('after', type=queue.name)).status, 202)
            workload.wait(2)
            self.assertEqual([post.id for post in workload.posts], ['before', 'after'])
            workload.posts[1].acknowledge()
            self.assertEqual(amps.stop(), 0)
            self.assertEqual(queue.count(), 0)


if __name__ == '__main__':
    unittest.main()
