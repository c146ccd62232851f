/* SPDX-License-Identifier: MIT */
#pragma once

/* RFC 6585; libsoup has no name for it. */
#define AMPS_HTTP_TOO_MANY_REQUESTS 429
