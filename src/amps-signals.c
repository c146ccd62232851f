/* SPDX-License-Identifier: MIT */
#include "amps-signals.h"

#include <pthread.h>
#include <signal.h>

static void
change_mask (int how)
{
  sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, SIGTERM);
  sigaddset (&set, SIGINT);
  sigaddset (&set, SIGHUP);
  pthread_sigmask (how, &set, NULL);
}

/**
 * amps_signals_hold:
 *
 * Keeps the signals that AMPS is controlled by (SIGTERM, SIGINT and SIGHUP) until
 * amps_signals_let_through(): one that came before its handler is there would end the
 * process, or be lost if that is the first one of a container (kill(2)). To be called
 * before there is another thread, since each one inherits what is held, and is left with
 * it: only the main thread takes signals.
 *
 * Ignores SIGXFSZ for good, so that a write beyond the largest size of a file
 * (setrlimit(2), RLIMIT_FSIZE) is an error of that file.
 */
void
amps_signals_hold (void)
{
  signal (SIGXFSZ, SIG_IGN);
  change_mask (SIG_BLOCK);
}

/**
 * amps_signals_let_through:
 *
 * Says that the handlers are there. What was held comes now, also if it was whoever
 * started the process that had blocked it.
 */
void
amps_signals_let_through (void)
{
  change_mask (SIG_UNBLOCK);
}
