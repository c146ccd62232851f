/* SPDX-License-Identifier: MIT */
#include "amps-embedded-statements.h"

/* What is claimed. */
#define RETURNING                                                                                  \
  " RETURNING id, body, attempt, handed_out, returns, first_received,"                             \
  " iif(died IS NULL AND (detail IS NOT NULL OR retries > 0), retries + 1, 0)"

const char *const amps_embedded_statements[AMPS_EMBEDDED_N_STATEMENTS] = {
  [AMPS_EMBEDDED_STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
  [AMPS_EMBEDDED_STATEMENT_COMMIT] = "COMMIT",
  [AMPS_EMBEDDED_STATEMENT_ROLL_BACK] = "ROLLBACK",
  [AMPS_EMBEDDED_STATEMENT_PUBLISH] =
      "INSERT INTO jobs (queue, body, published) VALUES (?1, ?2, ?3)",
  /* Those that had to wait come first: a long queue is not to keep back the jobs
   * of a process that died. */
  [AMPS_EMBEDDED_STATEMENT_FIND] =
      "SELECT id, size FROM ("
      "SELECT * FROM (SELECT id, length(body) AS size, 0 AS turn FROM jobs WHERE queue = ?1"
      " AND due BETWEEN 1 AND ?2 ORDER BY due, id LIMIT ?3)"
      " UNION ALL "
      "SELECT * FROM (SELECT id, length(body) AS size, 1 AS turn FROM jobs WHERE queue = ?1"
      " AND due = 0 ORDER BY id LIMIT ?3))"
      " ORDER BY turn LIMIT ?3",
  [AMPS_EMBEDDED_STATEMENT_FIND_CLAIMED] =
      "SELECT id, length(body) FROM jobs WHERE owner IN (?1, ?2)",
  [AMPS_EMBEDDED_STATEMENT_CLAIM] =
      "UPDATE jobs SET due = ?4, wait = ?4 - ?3, owner = ?2, handed_out = handed_out + 1,"
      /* Whoever consumes dead letters begins anew, too. */
      " attempt = CASE WHEN died IS NULL THEN attempt ELSE 1 END,"
      " first_received = CASE first_received WHEN 0 THEN ?3 ELSE first_received END"
      " WHERE id = ?1" RETURNING,
  [AMPS_EMBEDDED_STATEMENT_RECLAIM] =
      "UPDATE jobs SET due = ?3, owner = ?2, handed_out = handed_out + 1"
      " WHERE id = ?1" RETURNING,
  [AMPS_EMBEDDED_STATEMENT_ACKNOWLEDGE] = "DELETE FROM jobs WHERE id = ?1 AND owner = ?2",
  [AMPS_EMBEDDED_STATEMENT_GIVE_BACK] =
      "UPDATE jobs SET due = 0, owner = NULL, returns = returns + 1, attempt = max(attempt, ?3)"
      " WHERE id = ?1 AND owner = ?2",
  [AMPS_EMBEDDED_STATEMENT_RETRY] =
      "UPDATE jobs SET due = ?3 + ?6, wait = ?6, owner = NULL, handed_out = 0, attempt = ?4,"
      " retries = retries + 1, detail = ?5, reason = NULL, origin = NULL, died = NULL"
      " WHERE id = ?1 AND owner = ?2",
  [AMPS_EMBEDDED_STATEMENT_DEAD_LETTER] =
      "UPDATE jobs SET due = 0, owner = NULL, handed_out = 0, attempt = ?4,"
      " retries = 0, detail = ?5, reason = ?6, origin = queue, queue = ?7, died = ?3"
      " WHERE id = ?1 AND owner = ?2",
  [AMPS_EMBEDDED_STATEMENT_RENEW] = "UPDATE jobs SET due = ?2 WHERE owner = ?1",
  [AMPS_EMBEDDED_STATEMENT_GIVE_UP] = "UPDATE jobs SET due = 0, owner = NULL, returns = returns + 1"
                                      " WHERE owner = ?1",
  [AMPS_EMBEDDED_STATEMENT_NEXT_DUE] = "SELECT min(due) FROM jobs WHERE queue = ?1",
  /* The index alone answers this, and the other one reads few rows. */
  [AMPS_EMBEDDED_STATEMENT_COUNT_READY] =
      "SELECT count(*) FROM jobs WHERE queue = ?1 AND due <= ?2",
  [AMPS_EMBEDDED_STATEMENT_COUNT_DELAYED] =
      "SELECT count(*) FROM jobs WHERE queue = ?1 AND due > ?2"
      " AND owner IS NULL",
};
