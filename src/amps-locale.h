/* SPDX-License-Identifier: MIT */
#pragma once

void amps_locale_set_up (void);
void amps_locale_leave (void);
