# SPDX-License-Identifier: MIT
"""A long run is worth nothing if its judge sees no growth."""

import os
import threading
import unittest

import flat


class RecordTest(unittest.TestCase):
    """What it must see, and what it must not take for growth."""

    @staticmethod
    def complaints(*residents, **others):
        """What it says of such resident sizes."""
        record = flat.Record()
        for resident in residents:
            record.add(**{'resident KiB': resident, **others})
        return record.complaints()

    def test_a_leak_is_seen(self):
        self.assertEqual(self.complaints(*range(10000, 18000, 100)),
                         ['resident KiB grew from 12950.0 to 16950.0'])

    def test_every_figure_can_be_seen_to_grow(self):
        for name, (ratio, more) in flat.ALLOWED.items():
            record = flat.Record()
            for step in range(8):
                record.add(**{name: 10 if step < 6 else 10 * ratio + more + 1})
            self.assertEqual(len(record.complaints()), 1, name)

    def test_warming_up_and_a_peak_are_no_leak(self):
        self.assertEqual(self.complaints(5000, 9000, 12000, 12000, 12100, 40000, 12300, 12200,
                                         12100, 12100, 99000, 12100), [])

    def test_too_few_samples_are_no_proof(self):
        with self.assertRaises(ValueError):
            self.complaints(1, 2, 3)

    def test_usage_is_of_the_process(self):
        before = flat.usage(os.getpid())
        ready, over = threading.Event(), threading.Event()
        ends = os.pipe()
        thread = threading.Thread(target=lambda: (ready.set(), over.wait()))
        thread.start()
        ready.wait()
        ballast = b'x' * (32 << 20)
        after = flat.usage(os.getpid())
        self.assertEqual(after['threads'], before['threads'] + 1)
        self.assertEqual(after['descriptors'], before['descriptors'] + 2)
        self.assertGreater(after['resident KiB'], before['resident KiB'] + len(ballast) // 2048)
        over.set()
        thread.join()
        for end in ends:
            os.close(end)


if __name__ == '__main__':
    unittest.main()
