/* SPDX-License-Identifier: MIT */
#include "amps-job-log.h"

/**
 * amps_job_log_write:
 * @level: a log level
 * @event: what happened
 * @place: where this is called
 * @job: the job that it is about
 * @reason: (nullable): a word of a fixed list
 * @format: a printf() format
 * @...: its arguments
 *
 * For [func@Amps.log_job] alone.
 */
void
amps_job_log_write (GLogLevelFlags level, AmpsLogEvent event, const AmpsLogPlace *place,
                    AmpsJob *job, const char *reason, const char *format, ...)
{
  AmpsLogJob subject = { amps_job_get_id (job), NULL, NULL };
  char trace_id[AMPS_TRACE_ID_SIZE];
  char span_id[AMPS_SPAN_ID_SIZE];
  AmpsTraceContext context;
  va_list arguments;

  if (amps_job_find_trace_context (job, &context))
    {
      amps_trace_context_format_trace_id (&context, trace_id);
      subject.trace_id = trace_id;
      if (amps_job_get_trace (job) != NULL && amps_trace_context_is_sampled (&context))
        {
          amps_trace_context_format_span_id (&context, span_id);
          subject.span_id = span_id;
        }
    }

  va_start (arguments, format);
  amps_log_write_valist (level, event, place, &subject, reason, format, arguments);
  va_end (arguments);
}
