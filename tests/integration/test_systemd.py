# SPDX-License-Identifier: MIT
"""AMPS as a service of systemd: its units, and what it tells."""

import contextlib
import fcntl
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from amps import BINARY, Amps, wait_until
from broker import event
from embedded import EmbeddedTest
from rabbitmq_node import free_port

BUILD = os.environ['AMPS_BUILD']
SOURCE = pathlib.Path(__file__).resolve().parents[2]

# The worst that is allowed, in tenths.
EXPOSURE = '20'


@unittest.skipIf(shutil.which('systemd-analyze') is None, 'there is no systemd-analyze')
@unittest.skipIf(shutil.which('meson') is None, 'there is no meson')
class Units(unittest.TestCase):
    """As they are installed."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='amps-units-')
        self.addCleanup(folder.cleanup)
        subprocess.run(['meson', 'install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir',
                        folder.name], check=True, stdout=subprocess.DEVNULL)
        units = next(pathlib.Path(folder.name).rglob('amps@.service')).parent
        self.binary = next(pathlib.Path(folder.name).rglob('bin/amps'))
        self.paths = {name: units / f'{name}.service' for name in ('amps', 'amps@')}

    def analyze(self, *arguments):
        """What systemd-analyze says; it must not complain."""
        result = subprocess.run(['systemd-analyze', *arguments], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertEqual(result.stderr, '')
        return result.stdout

    def test_no_mistakes(self):
        """Neither in what is commented out. The binary is looked for, and not yet in its place."""
        for path in self.paths.values():
            text, n_examples = re.subn(r'^#(\w+=)', r'\1', path.read_text(), flags=re.MULTILINE)
            self.assertGreater(n_examples, 0)
            path.write_text(re.sub(r'ExecStart=.*', f'ExecStart={self.binary}', text))
        self.analyze('verify', str(self.paths['amps']))
        instance = self.paths['amps@'].with_name('amps@orders.service')
        instance.symlink_to(self.paths['amps@'].name)
        self.analyze('verify', str(instance))

    def test_exposure(self):
        for path in self.paths.values():
            said = self.analyze('security', '--offline=yes', f'--threshold={EXPOSURE}', str(path))
            self.assertIn('Overall exposure level', said)

    def test_system_calls(self):
        """There is one list."""
        text = (SOURCE / 'flatpak-free-container/syscalls').read_text(encoding='ascii')
        calls = [line for line in text.splitlines() if line and not line.startswith('#')]
        for path in self.paths.values():
            self.assertIn(f'\nSystemCallFilter={" ".join(calls)}\n', path.read_text())

    def test_names_agree(self):
        """The bus starts a unit that there is, as the user that its policy lets have the name."""
        root = self.binary.parent.parent
        service = next(root.rglob('system-services/*.service')).read_text()
        policy = next(root.rglob('system.d/*.conf')).read_text()
        user = re.search(r'^User=(.*)$', self.paths['amps'].read_text(), re.MULTILINE)[1]
        self.assertIn('SystemdService=amps.service', service)
        self.assertIn(f'User={user}\n', service)
        self.assertIn(f'<policy user="{user}">', policy)
        self.assertIn(f'\nu {user} ', next(root.rglob('sysusers.d/amps.conf')).read_text())


def find_hierarchy():
    """What systemd uses of cgroups: how it is mounted, and where this process is in it."""
    lines = pathlib.Path('/proc/self/cgroup').read_text(encoding='ascii').splitlines()
    for controller, mount, root in (
            ('name=systemd', 'cgroup -o none,name=systemd', '/sys/fs/cgroup/systemd'),
            ('', 'cgroup2', '/sys/fs/cgroup')):
        for line in lines:
            _, name, path = line.split(':', 2)
            if name == controller and pathlib.Path(root, 'cgroup.procs').exists():
                return f'-t {mount} none {root}', pathlib.Path(root, path.lstrip('/'))
    raise unittest.SkipTest('there are no cgroups')


# A user's systemd needs no boot. $0 is a folder with the unit. It must not see the cgroups
# of others.
SESSION = r"""
exec 2>"$0/log"
umount "${HIERARCHY##* }" && mount $HIERARCHY || exit
mount -t tmpfs none /run || exit
mkdir -p -m 700 /run/user/0 /run/systemd/system
export XDG_RUNTIME_DIR=/run/user/0 HOME="$0" XDG_CONFIG_HOME="$0" SYSTEMD_UNIT_PATH="$0:"
show () { systemctl --user show amps -p "$1" --value; }
wait_for () { for _ in $(seq 200); do [ "$(show "$1")" = "$2" ] && return; sleep 0.1; done; }
$SYSTEMD --user --unit=amps.service >&2 &
wait_for SubState running
systemctl --user show >&2 || exit
echo "started $(show SubState) $(show StatusText)"
systemctl --user reload amps
echo "reloaded $? $(show SubState)"
sleep 3
pid=$(show MainPID)
echo "fed $(show NRestarts) seccomp $(awk '/^Seccomp:/ { print $2 }' /proc/$pid/status)"
[ "${pid:-0}" -gt 0 ] || exit
kill -STOP $pid
wait_for NRestarts 1
wait_for SubState running
echo "restarted $(show NRestarts) $(show SubState)"
systemctl --user stop amps
echo "stopped $(show SubState) $(show Result)"
sed -i s/BROKER_SUBJECT=.*// "$0/amps.env"
systemctl --user start amps
sleep 1
echo "bad settings $(show ExecMainStatus) $(show SubState) $(show NRestarts)"
"""
SYSTEMD = '/lib/systemd/systemd'


@unittest.skipIf(shutil.which('meson') is None, 'there is no meson')
class Started(unittest.TestCase):
    """By a real systemd, which has namespaces and a cgroup for itself."""

    def setUp(self):
        if os.geteuid() != 0 or not os.access(SYSTEMD, os.X_OK):
            self.skipTest('only root may mount, and systemd is needed')
        folder = tempfile.TemporaryDirectory(prefix='amps-started-')
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.hierarchy, parent = find_hierarchy()
        self.cgroup = parent / self.folder.name
        try:
            self.cgroup.mkdir()
        except OSError as error:
            self.skipTest(f'no cgroup can be made: {error}')
        self.addCleanup(self.remove_cgroup)

    def remove_cgroup(self):
        """With all that systemd has made in it, once the processes are gone."""
        def remove():
            with contextlib.suppress(OSError):
                for path, _, _ in os.walk(self.cgroup, topdown=False):
                    os.rmdir(path)
            return not self.cgroup.exists()

        wait_until(remove, what='the end of the cgroup')

    def write_unit(self):
        """The installed one, but for what a user's systemd can't do, and where a test is."""
        subprocess.run(['meson', 'install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir',
                        self.folder / 'root'], check=True, stdout=subprocess.DEVNULL)
        text = next(self.folder.rglob('amps.service')).read_text()
        for name, value in {'ExecStart': BINARY, 'EnvironmentFile': self.folder / 'amps.env',
                            'PrivateTmp': 'no', 'ProtectHome': 'no', 'RestartSec': '0',
                            'User': '', 'WatchdogSec': '2'}.items():
            text, n = re.subn(f'^{name}=.*', f'{name}={value}', text, flags=re.MULTILINE)
            self.assertEqual(n, 1, name)
        (self.folder / 'amps.service').write_text(text)
        (self.folder / 'amps.env').write_text(
            f'BROKER_HOST=sqlite::memory:\nPORT={free_port()}\nMETRICS_ENABLED=false\n'
            'WORKLOAD_ADDRESS=http://127.0.0.1:9\nBROKER_SUBJECT=jobs\n')

    def test_life(self):
        self.write_unit()
        result = subprocess.run(
            ['unshare', '--mount', '--pid', '--cgroup', '--fork', '--mount-proc', '--kill-child',
             'sh', '-c', SESSION, self.folder], timeout=120, stdout=subprocess.PIPE, text=True,
            check=False, env={'PATH': os.environ['PATH'], 'SYSTEMD': SYSTEMD,
                              'HIERARCHY': self.hierarchy},
            preexec_fn=lambda: (self.cgroup / 'cgroup.procs').write_text('0'))
        said = result.stdout.splitlines()
        log = (self.folder / 'log').read_text()
        if not said:
            self.skipTest(f'no systemd can run here: {log}')
        self.assertRegex(said[0], '^started running starting, jobs in flight: 0; ')
        self.assertEqual(said[1:], ['reloaded 0 running', 'fed 0 seccomp 2',
                                    'restarted 1 running', 'stopped dead success',
                                    'bad settings 78 failed 0'], log)


class Manager:
    """What stands in for systemd: a socket, and all that came, with its time."""

    def __init__(self, test):
        folder = tempfile.TemporaryDirectory(prefix='amps-notify-')
        test.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, 'notify')
        self.told = []
        self.pids = set()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind(self.path)
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()
        test.addCleanup(self._close)

    def _listen(self):
        while True:
            data, messages, _, _ = self._socket.recvmsg(4096, socket.CMSG_SPACE(12))
            if not data:
                break
            self.pids.add(struct.unpack('iII', messages[0][2])[0])
            self.told.append((time.monotonic(), data.decode()))

    def _close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b'', self.path)
        self._thread.join()
        self._socket.close()

    def texts(self, start=''):
        """What was told, in its order."""
        return [text for _, text in list(self.told) if text.startswith(start)]

    def wait(self, text, timeout=20):
        """Until something with this text is told for the first time."""
        wait_until(lambda: any(text in told for told in self.texts()), timeout, f'“{text}”')

    def is_fed_within(self, seconds):
        """Whether a sign of life comes in that time from now."""
        before = len(self.texts('WATCHDOG=1'))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if len(self.texts('WATCHDOG=1')) > before:
                return True
            time.sleep(0.02)
        return False


class Notify(EmbeddedTest):
    """See sd_notify(3)."""

    def setUp(self):
        super().setUp()
        self.manager = Manager(self)

    def test_outage_at_boot(self):
        """A unit must not fail for it."""
        with Amps(f'amqp://127.0.0.1:{free_port()}', 'jobs',
                  NOTIFY_SOCKET=self.manager.path) as amps:
            self.manager.wait('READY=1')
            self.assertTrue(amps.is_listening())
            self.manager.wait('refused')
            self.assertEqual(self.manager.texts()[0], 'READY=1')
            self.assertRegex(self.manager.texts()[1], '^STATUS=starting, jobs in flight: 0')
            self.assertEqual(amps.stop(), 0)
        self.assertEqual(self.manager.pids, {amps.process.pid})
        self.assertEqual(self.manager.texts('WATCHDOG'), [])

    def test_reload_and_stop(self):
        with Amps(self.uri, 'jobs', NOTIFY_SOCKET=self.manager.path, DRAIN_TIMEOUT='7m',
                  WATCHDOG_USEC=60000000) as amps:
            amps.wait_listening()
            self.manager.wait('STATUS=')
            before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            amps.process.send_signal(signal.SIGHUP)
            self.manager.wait('RELOADING=1')
            wait_until(lambda: len(self.manager.texts('READY=1')) == 2, what='the reload')
            reloading = self.manager.texts('RELOADING=1')[0]
            since = int(re.fullmatch(r'RELOADING=1\nMONOTONIC_USEC=(\d+)', reloading)[1])
            self.assertLess(before, since)
            self.assertLess(since, time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000)
            states = [text.partition('\n')[0] for text in self.manager.texts()
                      if not text.startswith('STATUS=')]
            self.assertEqual(states, ['READY=1', 'RELOADING=1', 'READY=1'])
            self.assertEqual(amps.stop(), 0)
            # None of these variables is a setting that was misspelt.
            self.assertNotIn('"level":"warning"', amps.log)
        stopping = self.manager.texts('STOPPING=1')
        self.assertEqual(len(stopping), 1)
        self.assertGreater(int(stopping[0].partition('EXTEND_TIMEOUT_USEC=')[2]), 7 * 60 * 10**6)

    def test_abstract_socket(self):
        name = f'amps-{os.getpid()}'
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listener:
            listener.bind(f'\0{name}')
            listener.settimeout(20)
            with Amps(self.uri, 'jobs', NOTIFY_SOCKET=f'@{name}') as amps:
                self.assertEqual(listener.recv(4096), b'READY=1')
                amps.stop()

    def test_thread_that_hangs(self):
        """The main loop moves on, and answers; but no job does."""
        if not os.environ.get('FAILING_DISK'):
            self.skipTest('a sanitizer must be loaded first')
        rule = pathlib.Path(self.folder, 'rule')
        rule.write_text('')
        with Amps(self.uri, 'jobs', NOTIFY_SOCKET=self.manager.path, WATCHDOG_USEC=1000000,
                  LD_PRELOAD=os.environ['FAILING_DISK'], FAILING_DISK_RULE=rule) as amps:
            amps.wait_listening()
            self.assertTrue(self.manager.is_fed_within(5))
            rule.write_text('fdatasync 0')
            publisher = threading.Thread(target=amps.post,
                                         args=['/publish', event('a', type='jobs')])
            publisher.start()
            # The transaction may last as long as a lease, of 2 s here.
            time.sleep(2.5)
            self.assertFalse(self.manager.is_fed_within(3))
            self.assertTrue(amps.is_listening())
            rule.write_text('')
            self.assertTrue(self.manager.is_fed_within(2))
            publisher.join()
            self.assertEqual(amps.stop(), 0)

    def test_main_loop_that_hangs(self):
        """As it does where nobody reads the log."""
        log, end = os.pipe()
        self.addCleanup(os.close, log)
        fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 4096)
        process = subprocess.Popen(
            [BINARY], cwd='/', stdout=subprocess.DEVNULL, stderr=end,
            env={'BROKER_HOST': 'sqlite::memory:', 'BROKER_SUBJECT': 'jobs', 'LOG_FORMAT': 'json',
                 'PORT': str(free_port()), 'METRICS_ENABLED': 'false', 'WATCHDOG_USEC': '1000000',
                 'WORKLOAD_ADDRESS': 'http://127.0.0.1:9', 'NOTIFY_SOCKET': self.manager.path})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        os.close(end)
        read_until_fed(log, self.manager)
        fill(log)
        process.send_signal(signal.SIGHUP)
        self.manager.wait('RELOADING=1')
        self.assertFalse(self.manager.is_fed_within(3))
        os.read(log, 4096)
        self.assertTrue(self.manager.is_fed_within(2))


def read_until_fed(log, manager):
    """Reads what comes until the first sign of life has come."""
    os.set_blocking(log, False)
    while not manager.is_fed_within(0.1):
        with contextlib.suppress(BlockingIOError):
            os.read(log, 4096)


def fill(pipe):
    """Writes into a pipe until it takes not one byte more."""
    end = os.open(f'/proc/self/fd/{pipe}', os.O_WRONLY | os.O_NONBLOCK)
    for size in (1024, 1):
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(end, b'x' * size)
    os.close(end)


if __name__ == '__main__':
    unittest.main()
