# SPDX-License-Identifier: MIT
"""Secrets that are renewed while AMPS runs."""

import os
import signal
import unittest

from amps import Amps, wait_until
from broker import BrokerTest, event
from proxy import Proxy
from workload import Workload


class Secrets(BrokerTest):
    """NAME_FILE is read again on reconnect and on SIGHUP."""

    def write(self, name, text):
        """Puts a secret where it is read from."""
        path = os.path.join(self._folder.name, name)
        with open(path, 'w', encoding='ascii') as file:
            file.write(text + '\n')
        return path

    def test_password_of_the_broker(self):
        proxy = Proxy(self.node.port)
        queue = self.queue()

        def install(password):
            return self.write('broker', f'amqp://guest:{password}@127.0.0.1:{proxy.port}')

        with Workload() as workload, \
                Amps('', queue.name, workload, BROKER_HOST_FILE=install('too-early')) as amps:
            amps.wait_listening()
            wait_until(lambda: 'guest' in amps.get('/readyz').body, what='the refusal')
            # Nobody sends a signal: it tries again by itself.
            install('guest')
            amps.wait_ready()
            queue.publish(event('a'))
            workload.wait(1)
            self.assertEqual(amps.metric('amps_broker_reconnects_total'), 0)

            self.node.control('change_password', 'guest', 'renewed')
            self.addCleanup(self.node.control, 'change_password', 'guest', 'guest')
            install('renewed')
            proxy.cut()
            wait_until(lambda: amps.metric('amps_broker_reconnects_total') == 1, what='a new one')
            queue.publish(event('b'))
            workload.wait(2)
            amps.stop()
            for secret in ('too-early', 'guest', 'renewed'):
                self.assertNotIn(f':{secret}', amps.log)
        self.assertEqual(queue.count(), 0)

    def test_password_that_is_not_encoded(self):
        path = self.write('broker', self.node.uri)
        with Amps('', self.queue().name, BROKER_HOST_FILE=path) as amps:
            amps.wait_listening()
            for password in ('Tr0ub4dor@TailOfSecret', '5672/TailOfSecret'):
                self.write('broker', f'amqp://app:{password}@127.0.0.1:{self.node.port}')
                amps.process.send_signal(signal.SIGHUP)
            amps.wait_log('Kept the old secrets')
            shown = [amps.get(path).body for path in ('/readyz', '/health', '/health/detailed', '/')]
            for text in (*shown, amps.log):
                self.assertNotIn('Tail', text)
                self.assertNotIn('Tr0u', text)

    def test_token(self):
        queue = self.queue()
        queue.publish(event('a'))
        path = self.write('token', 'first-token')

        def call(token):
            return amps.post('/heartbeat', {'identifier': 'a'}, Authorization=f'Bearer {token}').status

        with Workload(lambda _: 202) as workload, \
                Amps(self.node.uri, queue.name, workload, API_TOKEN_FILE=path) as amps:
            workload.wait(1)
            self.assertEqual((call('first-token'), call('second-token')), (200, 401))
            self.write('token', 'second-token')
            self.assertEqual((call('first-token'), call('second-token')), (200, 401))
            amps.process.send_signal(signal.SIGHUP)
            amps.wait_log('Read the secrets again')
            self.assertEqual((call('first-token'), call('second-token')), (401, 200))

            # A bad one opens nothing.
            self.write('token', '')
            amps.process.send_signal(signal.SIGHUP)
            amps.wait_log('Kept the old secrets')
            self.assertEqual((call('second-token'), call('')), (200, 401))
            self.assertNotIn('-token', amps.log)


if __name__ == '__main__':
    unittest.main()
