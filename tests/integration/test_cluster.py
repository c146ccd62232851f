# SPDX-License-Identifier: MIT
"""Three nodes: the leader of the queue moves, and dies."""

import pathlib
import tempfile
import unittest

from amps import Amps, wait_until
from broker import Queue, event
from rabbitmq_node import RabbitMQNode
from workload import Workload

# What rabbitmq-queues rebalance does for each queue that is to move.
MOVE = ("{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<\"/\">>, queue, <<\"jobs\">>)), "
        "rabbit_quorum_queue:transfer_leadership(Q, '%s').")


class Cluster(unittest.TestCase):
    """Nothing is lost when a node of a cluster goes."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='amps-cluster-')
        self.addCleanup(folder.cleanup)
        self.nodes = []
        for number in range(3):
            node = RabbitMQNode(pathlib.Path(folder.name) / str(number),
                                peer=self.nodes[0] if self.nodes else None)
            self.addCleanup(node.stop)
            node.start()
            node.wait_until_ready()
            self.nodes.append(node)

    def leader(self):
        """The number of the node that leads the queue."""
        name = self.nodes[0].control('--silent', 'list_queues', '--no-table-headers', 'leader')
        return [node.name for node in self.nodes].index(name.strip())

    def test_leader_that_moves_and_dies(self):
        queue = Queue(self.nodes[0], 'jobs', 'quorum', {})
        self.addCleanup(queue.close)
        for number in range(5):
            queue.publish(event(number))
        # The node that has the port mapper of all must live.
        uris = ','.join(node.uri for node in reversed(self.nodes))
        with Workload(lambda _: 202) as workload, Amps(uris, 'jobs', workload) as amps:
            workload.wait(5)
            wait_until(lambda: amps.get('/jobs').body.count('"running"') == 5, what='running')
            self.nodes[2].control('eval', MOVE % self.nodes[2].name)
            wait_until(lambda: self.leader() == 2, what='another leader')
            self.assertEqual(workload.posts[0].acknowledge(), 202)
            queue.publish(event('moved'))
            workload.wait(6)

            self.nodes[2].stop()
            wait_until(lambda: amps.log.count('go on detached') == 1, 30, 'being detached')
            self.assertEqual(workload.posts[1].acknowledge(), 202)
            wait_until(lambda: amps.log.count('is attached') == 4, 60, 'being attached')
            amps.wait_ready()
            wait_until(lambda: 'had ended' in amps.log, what='being settled again')
            queue.publish(event('died'))
            workload.wait(7)
            for post in workload.posts[2:]:
                self.assertEqual(post.acknowledge(), 202)
            self.assertEqual(amps.stop(), 0)
            self.assertEqual(len(workload.posts), 7)
        queue.wait_count(0)



if __name__ == '__main__':
    unittest.main()
