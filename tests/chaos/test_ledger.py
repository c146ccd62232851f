# SPDX-License-Identifier: MIT
"""The chaos program is worth nothing if its ledger sees nothing."""

import time
import unittest

from ledger import Ledger, wait_until_none

JOB_TIMEOUT = 0.5


class LedgerTest(unittest.TestCase):
    """What it must see, and what it must not take for a fault."""

    def setUp(self):
        self.ledger = Ledger(JOB_TIMEOUT)
        self.ledger.publishing('job')

    def run_job(self, worker, status=202):
        """POST, acceptance, acknowledgement."""
        self.ledger.posted(worker, 'job', 1)
        self.ledger.accepted(worker, 'job')
        self.ledger.acknowledging(worker, 'job')
        self.ledger.acknowledged(worker, 'job', status)

    def assert_seen(self, *words):
        """There are so many violations, and each speaks of its word."""
        self.assertEqual(len(self.ledger.violations), len(words), self.ledger.violations)
        for violation, word in zip(self.ledger.violations, words):
            self.assertIn(word, violation)

    def test_lost(self):
        self.assertEqual(self.ledger.lost(), ['job'])
        self.run_job('a', 404)
        self.assertEqual(self.ledger.lost(), ['job'])
        self.run_job('b')
        self.assertEqual(self.ledger.lost(), [])
        self.assert_seen()

    def test_acknowledgement_without_an_answer(self):
        self.ledger.posted('a', 'job', 1)
        self.ledger.unanswered('a', 'job')
        self.assertEqual(self.ledger.lost(), ['job'])
        self.ledger.killed('b')
        self.assertEqual(self.ledger.lost(), ['job'])
        self.ledger.killed('a')
        self.assertEqual(self.ledger.lost(), [])

    def test_posted_after_its_acknowledgement(self):
        self.run_job('a')
        self.ledger.posted('a', 'job', 1)
        self.assert_seen('acknowledgement')

    def test_posted_after_its_acknowledgement_as_another_attempt(self):
        self.run_job('a')
        self.ledger.posted('a', 'job', 2)
        self.assert_seen('acknowledgement')

    def test_posted_while_it_runs(self):
        self.ledger.posted('a', 'job', 1)
        self.ledger.accepted('a', 'job')
        self.ledger.posted('a', 'job', 1)
        self.assert_seen('runs')

    def test_published_twice_still_must_not_be_posted_while_it_runs(self):
        self.ledger.publishing('job')
        self.run_job('a')
        self.ledger.posted('a', 'job', 1)
        self.ledger.accepted('a', 'job')
        self.assert_seen()
        self.ledger.posted('a', 'job', 1)
        self.assert_seen('runs')

    def test_second_message_comes_before_the_answer_is_noted(self):
        self.ledger.publishing('job')
        self.ledger.posted('a', 'job', 1)
        self.ledger.accepted('a', 'job')
        self.ledger.acknowledging('a', 'job')
        self.ledger.posted('a', 'job', 1)
        self.assert_seen()

    def test_another_worker_that_finished_it_is_no_excuse(self):
        self.run_job('b')
        self.run_job('a')
        self.ledger.posted('a', 'job', 1)
        self.assert_seen('acknowledgement')

    def test_another_worker_made_a_copy(self):
        self.ledger.posted('b', 'job', 1)
        self.run_job('a')
        self.ledger.posted('a', 'job', 2)
        self.assert_seen()

    def test_crash_ends_all_runs(self):
        self.ledger.posted('a', 'job', 1)
        self.ledger.accepted('a', 'job')
        self.ledger.crashed()
        self.ledger.posted('a', 'job', 2)
        self.assert_seen()
        self.ledger.accepted('a', 'job')
        self.ledger.posted('a', 'job', 3)
        self.assert_seen('runs')

    def test_another_replica_failed(self):
        self.run_job('a')
        self.ledger.posted('b', 'job', 1)
        self.ledger.failed('b', 'job')
        self.ledger.posted('a', 'job', 2)
        self.assert_seen()

    def test_runs_that_ended(self):
        self.ledger.posted('a', 'job', 1)
        self.ledger.accepted('a', 'job')
        self.ledger.failed('a', 'job')
        self.ledger.posted('a', 'job', 2)
        self.ledger.accepted('a', 'job')
        self.ledger.crashed()
        self.ledger.posted('a', 'job', 3)
        self.ledger.accepted('a', 'job')
        time.sleep(JOB_TIMEOUT)
        self.ledger.posted('a', 'job', 4)
        self.assert_seen()


class WaitTest(unittest.TestCase):
    """How long the end is waited for."""

    def test_as_long_as_jobs_are_done(self):
        left = list(range(20))
        began = time.monotonic()
        self.assertEqual(wait_until_none(lambda: (left.pop(), left)[1], 0.2, 0.05), [])
        self.assertGreater(time.monotonic() - began, 0.4)

    def test_not_when_none_is_done(self):
        calls = []
        # More, and then as few as before, are no progress.
        left = iter(['ab', 'abc', 'ab', 'abc', 'ab'] + ['ab'] * 100)
        self.assertEqual(wait_until_none(lambda: calls.append(1) or next(left), 0.2, 0.05), 'ab')
        self.assertLess(len(calls), 10)


if __name__ == '__main__':
    unittest.main()
