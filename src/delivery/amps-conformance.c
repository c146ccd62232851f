/* SPDX-License-Identifier: MIT */
#include "amps-conformance.h"

#include "base/amps-log.h"

/**
 * amps_conformance_note:
 * @metrics: the figures
 * @faults: (nullable): those of an event that goes its way in spite of them
 *
 * Counts the event if it has faults, and warns of each kind of fault once: producers
 * that make one make it in each event.
 */
void
amps_conformance_note (AmpsMetrics *metrics, const AmpsEventFaults *faults)
{
  if (faults == NULL)
    return;

  amps_metrics_increment (metrics, AMPS_COUNTER_EVENTS_NONCONFORMING);
  for (unsigned int i = 0; i < AMPS_N_EVENT_FAULTS; i++)
    {
      const char *example = amps_event_faults_get_example (faults, i);

      if (example != NULL && amps_metrics_count_fault (metrics, i))
        amps_log (WARNING, EVENT_NONCONFORMING,
                  "An event breaks CloudEvents 1.0 and is passed on unchanged: %s, see “%s”. "
                  "Further ones are only counted, in amps_events_nonconforming_total; "
                  "EVENT_VALIDATION=strict rejects them",
                  amps_event_fault_to_string (i), example);
    }
}
