# SPDX-License-Identifier: MIT
"""The seccomp profile: what it lists, and what it refuses."""

import errno
import json
import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
SET_UP = HERE.parent.parent / 'flatpak-free-container'
PROFILE = SET_UP / 'seccomp.json'

# Asks for one call by its C function and says what errno was then.
CALL = '''
import ctypes, sys
call = getattr(ctypes.CDLL(None, use_errno=True), sys.argv[1])
result = call(*map(int, sys.argv[2:]))
print(ctypes.get_errno() if result == -1 else 0)
'''

CLONE_NEWUSER = 0x10000000
CLONE3 = 435  # on all architectures


def outcome(*command, confined=True):
    """The errno of a call in a Python that may be confined."""
    confinement = [sys.executable, str(HERE / 'confine.py'), str(PROFILE)] if confined else []
    return int(subprocess.run([*confinement, sys.executable, '-c', CALL, *map(str, command)],
                              check=True, stdout=subprocess.PIPE).stdout.split()[0])


class Profile(unittest.TestCase):
    """The file for the container against the list, and against the kernel."""

    def test_it_allows_the_list(self):
        lines = (SET_UP / 'syscalls').read_text(encoding='utf-8').splitlines()
        listed = [line for line in lines if line and not line.startswith('#')]
        self.assertEqual(len(listed), len(set(listed)))
        profile = json.loads(PROFILE.read_text(encoding='utf-8'))
        self.assertEqual(profile['defaultAction'], 'SCMP_ACT_ERRNO')
        self.assertEqual(profile['defaultErrnoRet'], errno.ENOSYS)
        allowed = [name for entry in profile['syscalls'] for name in entry['names']]
        self.assertEqual(sorted(allowed), sorted(listed))
        self.assertEqual({entry['action'] for entry in profile['syscalls']}, {'SCMP_ACT_ALLOW'})

    def test_what_amps_never_calls_is_refused(self):
        for call in (('ptrace', 0, 0, 0, 0), ('mount', 0, 0, 0, 0, 0), ('unshare', CLONE_NEWUSER),
                     ('setns', -1, 0), ('chroot', 0), ('setuid', 65534), ('kill', 0, 0),
                     ('personality', 0), ('fork',), ('syscall', CLONE3, 0, 0)):
            with self.subTest(call[0]):
                self.assertEqual(outcome(*call), errno.ENOSYS)
                self.assertNotEqual(outcome(*call, confined=False), errno.ENOSYS)


if __name__ == '__main__':
    unittest.main()
