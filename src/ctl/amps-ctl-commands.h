/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-ctl-command.h"

G_BEGIN_DECLS

extern const AmpsCtlCommand amps_ctl_status_command;
extern const AmpsCtlCommand amps_ctl_healthcheck_command;
extern const AmpsCtlCommand amps_ctl_jobs_command;
extern const AmpsCtlCommand amps_ctl_top_command;
extern const AmpsCtlCommand amps_ctl_acknowledge_command;
extern const AmpsCtlCommand amps_ctl_reject_command;
extern const AmpsCtlCommand amps_ctl_heartbeat_command;
extern const AmpsCtlCommand amps_ctl_publish_command;
extern const AmpsCtlCommand amps_ctl_pause_command;
extern const AmpsCtlCommand amps_ctl_resume_command;
extern const AmpsCtlCommand amps_ctl_drain_command;
extern const AmpsCtlCommand amps_ctl_concurrency_command;
extern const AmpsCtlCommand amps_ctl_dead_list_command;
extern const AmpsCtlCommand amps_ctl_dead_purge_command;
extern const AmpsCtlCommand amps_ctl_dead_redrive_command;
extern const AmpsCtlCommand amps_ctl_dead_show_command;
extern const AmpsCtlCommand amps_ctl_help_command;

/* In the order in which help lists them. NULL at the end. */
extern const AmpsCtlCommand *const amps_ctl_commands[];

const AmpsCtlCommand *amps_ctl_commands_find (const char *name);
gboolean amps_ctl_commands_is_family (const char *word);
void amps_ctl_commands_set_unknown (const char *name, GError **error);

G_END_DECLS
