# SPDX-License-Identifier: MIT
"""What the demo shows while jobs flow: a live view, or plain lines."""

import dataclasses
import os
import time

BAR = 40
CLEAR_LINE = '\033[K'


@dataclasses.dataclass(frozen=True)
class Progress:
    """How many jobs are where."""

    jobs: int
    published: int
    in_flight: int
    acknowledged: int
    rejected: int
    limit: int
    connected: bool

    @property
    def settled(self):
        """How many jobs have their outcome."""
        return self.acknowledged + self.rejected


class Screen:
    """Draws over itself on a terminal; else prints a line now and then."""

    def __init__(self, stream):
        self.stream = stream
        self.live = stream.isatty() and os.environ.get('TERM', 'dumb') != 'dumb'
        self.interval = 0.1 if self.live else 1
        self._colours = self.live and not os.environ.get('NO_COLOR')
        unicode_bar = 'utf' in (stream.encoding or '').lower()
        self._full, self._empty = ('━', '─') if unicode_bar else ('#', '-')
        self._start = time.monotonic()
        self._drawn = 0

    def show(self, progress):
        """Shows where the jobs are now."""
        lines = self._picture(progress) if self.live else [self._line(progress)]
        up = f'\033[{self._drawn}A' if self._drawn else ''
        end = CLEAR_LINE if self.live else ''
        self.stream.write(up + ''.join(f'{line}{end}\n' for line in lines))
        self.stream.flush()
        self._drawn = len(lines) if self.live else 0

    def finish(self, progress):
        """Says what happened."""
        seconds = time.monotonic() - self._start
        self.stream.write(
            f'\n{progress.published} jobs published, {progress.acknowledged} acknowledged, '
            f'{progress.rejected} rejected, in {seconds:.1f} s.\n')
        self.stream.flush()

    def _line(self, progress):
        return (f'{time.monotonic() - self._start:5.1f} s   published {progress.published}   '
                f'in flight {progress.in_flight}   acknowledged {progress.acknowledged}   '
                f'rejected {progress.rejected}   {progress.settled * 100 // progress.jobs} %')

    def _picture(self, progress):
        seconds = time.monotonic() - self._start
        state = 'connected' if progress.connected else 'NOT connected'
        return [
            self._row('published', progress.published, progress.jobs, 36),
            self._row('in flight', progress.in_flight, progress.limit, 33),
            self._row('acknowledged', progress.acknowledged, progress.jobs, 32),
            self._row('rejected', progress.rejected, progress.jobs, 31),
            '',
            self._row('done', progress.settled, progress.jobs, 1)
            + f' {progress.settled * 100 // progress.jobs:3} %',
            f'  {seconds:.1f} s, {progress.settled / max(seconds, 0.1):.0f} jobs/s, '
            f'broker {state}',
        ]

    def _row(self, name, value, limit, colour):
        # Full only when all is there, empty only when nothing is.
        filled = min(BAR, max(value > 0, value * BAR // limit))
        bar = self._full * filled
        if self._colours:
            bar = f'\033[{colour}m{bar}\033[0m'
        return f'  {name:<13}{value:>6}  {bar}{self._empty * (BAR - filled)}'
