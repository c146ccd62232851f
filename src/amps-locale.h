/* SPDX-License-Identifier: MIT */
#pragma once

void amps_locale_set_up (void);
