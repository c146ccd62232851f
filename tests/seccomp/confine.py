# SPDX-License-Identifier: MIT
"""Runs a program under a seccomp profile, as a container's runtime does.

Usage: confine.py PROFILE PROGRAM [ARGUMENT...]
"""

import json
import os
import sys

import seccomp


def condition(argument):
    """What one argument of a call has to be."""
    return seccomp.Arg(argument['index'], getattr(seccomp, argument['op'].removeprefix('SCMP_CMP_')),
                       argument['value'], argument['valueTwo'])


def load(profile):
    """Sets the filter; this process and all it becomes keep it."""
    actions = {'SCMP_ACT_ALLOW': seccomp.ALLOW,
               'SCMP_ACT_ERRNO': seccomp.ERRNO(profile['defaultErrnoRet'])}
    rules = seccomp.SyscallFilter(actions[profile['defaultAction']])
    for name in profile['architectures']:
        architecture = getattr(seccomp.Arch, name.removeprefix('SCMP_ARCH_'))
        if not rules.exist_arch(architecture):
            rules.add_arch(architecture)
    for entry in profile['syscalls']:
        for name in entry['names']:
            rules.add_rule(actions[entry['action']], name, *map(condition, entry.get('args', ())))
    rules.load()


def main():
    """Becomes the program."""
    profile, *command = sys.argv[1:]
    with open(profile, encoding='utf-8') as file:
        load(json.load(file))
    os.execv(command[0], command)


if __name__ == '__main__':
    main()
