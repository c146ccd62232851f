/* SPDX-License-Identifier: MIT */
#pragma once

#include "amps-lifecycle.h"

/* By these names AmpsSettler knows the lifecycle. */
#define AmpsDrain AmpsLifecycle
#define amps_drain_new amps_lifecycle_new
#define amps_drain_hurry amps_lifecycle_hurry
#define amps_drain_end amps_lifecycle_resume
#define amps_drain_is_hurried amps_lifecycle_is_hurried
