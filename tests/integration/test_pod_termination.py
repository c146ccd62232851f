# SPDX-License-Identifier: MIT
"""A pod ends while its workload has jobs, in each order that Kubernetes uses, and another pod
takes what it gives back."""

import signal
import time
import unittest

from broker import BrokerTest, event
from memory_limit import MemoryLimit
from pod import Ledger, Pod

# AMPS looks once a second whether a workload that drains is still there.
WATCHED = 1.5


def drain(pod):
    """AMPS takes no more."""
    pod.ampsctl('drain')


def drain_and_wait(pod):
    """It waits for all jobs, too."""
    pod.ampsctl('drain', '--wait=20s')


def call_drain(pod):
    """A workload can do the same by the API."""
    pod.amps.post('/drain?wait=20s')


class PodTermination(BrokerTest):
    """All slots are full when the pod is deleted, or its workload dies."""

    def start(self, slots=4, other=True, **details):
        """A pod with all slots full, and another one with nothing to do."""
        self.pods_queue, self.ledger = self.queue(), Ledger(self)
        self.jobs = sorted(map(str, range(slots)))
        details['MAX_CONCURRENCY'] = slots
        pod = Pod(self, self.pods_queue, self.ledger, 'old', **details)
        for job in self.jobs:
            self.pods_queue.publish(event(job))
        self.ledger.wait('began', slots)
        if other:
            self.other = Pod(self, self.pods_queue, self.ledger, 'new')
            self.other.amps.wait_ready()
        return pod

    def end(self, pod):
        """Deletes the pod, and lets its jobs end when all that can go wrong has gone wrong."""
        self.assertEqual(self.ledger.lines('finished'), [])
        whole = pod.terminate()
        time.sleep(WATCHED)
        self.ledger.go.touch()
        whole.join(20)
        self.assertEqual((whole.is_alive(), pod.amps.process.returncode), (False, 0))

    def check_each_ran_once(self):
        """The workload finished its jobs, so none began anywhere else."""
        self.ledger.wait('finished', len(self.jobs))
        self.assertEqual(self.ledger.jobs('finished'), self.jobs)
        self.pods_queue.wait_count(0)
        # One that was given back would have begun by now, or begin with the next one.
        self.pods_queue.publish(event('next'))
        self.ledger.wait('finished', len(self.jobs) + 1)
        self.assertEqual(self.ledger.jobs('began'), [*self.jobs, 'next'])

    def check_others_go_on(self, began):
        """The jobs of a workload that died run elsewhere within seconds."""
        again = self.ledger.wait('began', 2 * len(self.jobs))[len(self.jobs):]
        self.assertEqual({pod for _, pod, _ in again}, {'new'})
        self.assertLess(max(when for when, _, _ in again) - began, 5)
        self.assertEqual(self.ledger.jobs('began'), sorted(2 * self.jobs))
        self.ledger.go.touch()
        self.ledger.wait('finished', len(self.jobs))
        self.pods_queue.wait_count(0)

    def test_all_at_once(self):
        """Ordinary containers; the workload is there until it has finished."""
        self.end(self.start(on_term='listen'))
        self.check_each_ran_once()

    def test_all_at_once_with_awaited_answers(self):
        """… or closes its port first, but answers what it was asked."""
        self.end(self.start(WORKLOAD_MODE='sync'))
        self.check_each_ran_once()

    def test_all_at_once_after_a_drain(self):
        """… or closes its port first, while the hook of AMPS waits."""
        self.end(self.start(amps_hook=drain_and_wait))
        self.check_each_ran_once()

    def test_workload_first(self):
        """A native sidecar without a hook."""
        pod = self.start(native=True)
        self.end(pod)
        self.check_each_ran_once()
        self.assertLess(pod.ended['amps'] - pod.ended['workload'], 1)

    def test_workload_first_after_a_drain(self):
        """A native sidecar with its hook: what comes meanwhile is for others."""
        pod = self.start(native=True, amps_hook=drain)
        whole = pod.terminate()
        self.other.amps.wait_ready()
        self.pods_queue.publish(event('meanwhile'))
        began = self.ledger.wait('began', len(self.jobs) + 1)[-1]
        self.assertEqual(began[1:], ('new', 'meanwhile'))
        time.sleep(WATCHED)
        self.ledger.go.touch()
        whole.join(20)
        self.assertLess(pod.ended['amps'] - pod.ended['workload'], 1)
        self.ledger.wait('finished', len(self.jobs) + 1)
        self.pods_queue.wait_count(0)
        self.assertEqual(len(self.ledger.jobs('began')), len(self.jobs) + 1)

    def test_drain_before_either_is_stopped(self):
        """The workload's hook waits, so nothing is left when it dies of SIGTERM."""
        for native in (False, True):
            self.end(self.start(on_term='die', native=native, amps_hook=drain_and_wait,
                                workload_hook=call_drain))
            self.check_each_ran_once()

    def test_workload_that_finishes_nothing(self):
        """Its jobs run elsewhere as soon as it is dead."""
        pod = self.start(on_term='die', native=True, amps_hook=drain)
        began = time.monotonic()
        pod.terminate().join(20)
        self.assertLess(pod.ended['amps'] - pod.ended['workload'], 1)
        self.check_others_go_on(began)

    def test_workload_out_of_memory(self):
        """The kernel kills it, and the kubelet starts it again."""
        limit = MemoryLimit(self, 100 * 2**20)
        pod = self.start(slots=20, other=False)
        limit.add(pod.workload)
        pod.workload.send_signal(signal.SIGUSR1)
        self.assertEqual(pod.workload.wait(20), -signal.SIGKILL)
        died = time.monotonic()
        self.assertEqual(limit.killed, 1)
        time.sleep(0.5)
        pod.start_workload()
        again = self.ledger.wait('began', 40)[20:]
        self.assertLess(max(when for when, _, _ in again) - died, 10)
        self.assertEqual(self.ledger.jobs('began'), sorted(2 * self.jobs))
        self.ledger.go.touch()
        self.ledger.wait('finished', 20)
        self.assertEqual(self.ledger.jobs('finished'), self.jobs)
        self.pods_queue.wait_count(0)
        self.assertEqual(pod.amps.stop(), 0)


if __name__ == '__main__':
    unittest.main()
