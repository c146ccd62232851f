# SPDX-License-Identifier: MIT
"""What every backend does, by the one with RabbitMQ: see docs/backends.md."""

import os
import re
import subprocess
import unittest

from broker import QUEUE_TYPES, BrokerTest, amqp_only

SUITE = os.path.join(os.environ['AMPS_BUILD'], 'tests/unit/test-broker-conformance')


@amqp_only
class BrokerConformance(BrokerTest):
    """The suite runs in a process of its own, with the URI of the node."""

    def test_suite(self):
        for queue_type in QUEUE_TYPES:
            with self.subTest(queue_type):
                run = subprocess.run(
                    [SUITE, '--tap', '-p', '/broker-conformance/live'], text=True, timeout=250,
                    check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, 'AMPS_TEST_BROKER_URI': self.node.uri,
                         'AMPS_TEST_QUEUE_TYPE': queue_type})
                self.assertEqual(run.returncode, 0, run.stdout)
                self.assertEqual(re.findall('^not ok.*', run.stdout, re.MULTILINE), [], run.stdout)
                # Else nothing was tried.
                self.assertGreaterEqual(len(re.findall('^ok', run.stdout, re.MULTILINE)), 11,
                                        run.stdout)


if __name__ == '__main__':
    unittest.main()
