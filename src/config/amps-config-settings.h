/* SPDX-License-Identifier: MIT */

/* All settings, in the order in which they are shown. Each file that includes this defines what
 * becomes of them: amps-config.h declares the getters and amps-config-getters.c has them,
 * amps-config-table.[ch] makes an enumeration and a table, which values, errors, options, their
 * help and the dump come from. Each has a row in docs/reference/configuration.md; the test
 * config-table compares it.
 *
 * SETTING (NAME, type and name of the getter, kind, default, description, ...)
 *   Its getter is amps_config_get_NAME(). A text (const char *) belongs to the settings, and is
 *   NULL if it is not set and has no default; a duration is in µs, a size in bytes.
 * INNER_SETTING (NAME, kind, default, description, ...)
 *   The files of src/config/ make something else of it, and have a function for that.
 *
 * NAME is that of the environment variable, and in lower case that of the option. For the kinds,
 * and what else may be said of a setting, see AmpsVariableInfo. */

INNER_SETTING (BROKER_HOST, BROKER_URIS, "amqp://localhost:5672",
               N_ ("URI of the broker; several, separated by commas, are tried in turn"),
               .alias = "BROKER_DSN", .secrecy = SECRECY_URI, .from_file = TRUE,
               .for_clients = TRUE)
SETTING (BROKER_TYPE, const char *, broker_type, TEXT, NULL,
         N_ ("Type of the broker; by default that of the URI"), .for_clients = TRUE)
SETTING (BROKER_SUBJECT, const char *, subject, TEXT, NULL,
         N_ ("Name of the queue to consume (required)"), .for_clients = TRUE)
SETTING (QUEUE_DECLARE, AmpsQueueDeclare, queue_declare, WORD, "passive",
         N_ ("passive: wait until the queue exists; auto: declare it if it is missing"),
         .words = { "passive", "auto" }, .for_clients = TRUE)
SETTING (QUEUE_TYPE, AmpsQueueType, queue_type, WORD, "quorum",
         N_ ("Type of a queue that AMPS declares: quorum or classic"),
         .words = { "quorum", "classic" }, .for_clients = TRUE)
SETTING (WORKER_ID, const char *, worker_id, TEXT, NULL,
         N_ ("Name of this AMPS in logs, metrics and headers (default: the host's name)"),
         .maximum = 200)
SETTING (MAX_CONCURRENCY, unsigned int, max_concurrency, NUMBER, "100",
         N_ ("How many jobs the workload can handle at once"), RANGE (1, 65535))
SETTING (JOB_TIMEOUT, gint64, job_timeout, DURATION, "2m",
         N_ ("Time limit from the POST to the outcome; 0: no limit"), RANGE (0, YEAR))
SETTING (HEARTBEAT_TIMEOUT, gint64, heartbeat_timeout, DURATION, "0",
         N_ ("A job without a heartbeat for this long expires; 0: off"), RANGE (0, YEAR))
SETTING (WORKLOAD_ADDRESS, const char *, workload_address, ADDRESS, "http://localhost:5050",
         N_ ("Where to POST jobs: a URL (http or https) or unix:PATH"), .secrecy = SECRECY_URI,
         .from_file = TRUE)
SETTING (WORKLOAD_RESPONSE_TIMEOUT, gint64, workload_response_timeout, DURATION, "30s",
         N_ ("Time limit for the answer to a POST, in async mode"), RANGE (1000, YEAR))
SETTING (WORKLOAD_MODE, AmpsWorkloadMode, workload_mode, WORD, "async",
         N_ ("async: the outcome comes through the API; sync: the answer is the outcome"),
         .words = { "async", "sync" })
SETTING (WORKLOAD_CONTENT_TYPE, const char *, workload_content_type, MEDIA_TYPE, "application/json",
         N_ ("Content-Type of the POST"))
SETTING (WORKLOAD_BATCH_SIZE, unsigned int, workload_batch_size, NUMBER, "1",
         N_ ("Send up to this many jobs in one POST"), RANGE (1, 1000))
SETTING (WORKLOAD_BATCH_WAIT, gint64, workload_batch_wait, DURATION, "5ms",
         N_ ("How long to wait for more jobs before a batch is sent"), RANGE (0, 60 * SECOND))
SETTING (WORKLOAD_RESTART, AmpsWorkloadRestart, workload_restart, WORD, "expire",
         N_ ("expire: accepted jobs expire when the workload restarts; keep: they go on"),
         .words = { "expire", "keep" })
SETTING (WORKLOAD_READY_PATH, const char *, workload_ready_path, PATH, NULL,
         N_ ("Take jobs only while a GET of this path is answered with 2xx"))
SETTING (WORKLOAD_CA_FILE, const char *, workload_ca_file, TEXT, NULL,
         N_ ("PEM file of trusted authorities for https, instead of the system's"))
SETTING (WORKLOAD_CERT_FILE, const char *, workload_cert_file, TEXT, NULL,
         N_ ("PEM file of the client certificate for https"))
SETTING (WORKLOAD_KEY_FILE, const char *, workload_key_file, TEXT, NULL,
         N_ ("PEM file of its private key"), .secrecy = SECRECY_PATH)
SETTING (MAX_ATTEMPTS, unsigned int, max_attempts, NUMBER, "0",
         N_ ("Failed attempts of a job before it is dead-lettered; 0: no limit"),
         RANGE (0, G_MAXINT32))
SETTING (RETRY_MIN_BACKOFF, gint64, retry_min_backoff, DURATION, "1s",
         N_ ("Longest wait after the first failure"), RANGE (1000, YEAR))
SETTING (RETRY_MAX_BACKOFF, gint64, retry_max_backoff, DURATION, "5m",
         N_ ("Longest wait after many failures"), RANGE (1000, YEAR))
SETTING (DEAD_LETTER_QUEUE, const char *, dead_letter_queue, TEXT, NULL,
         N_ ("Where rejected jobs are copied (SUBJECT.dead)"), .for_clients = TRUE)
SETTING (DEAD_LETTER_MODE, AmpsDeadLetterMode, dead_letter_mode, WORD, "queue",
         N_ ("queue: copy to DEAD_LETTER_QUEUE; broker: the queue's own policy decides"),
         .words = { "queue", "broker" }, .for_clients = TRUE)
SETTING (EVENT_VALIDATION, AmpsEventValidation, event_validation, WORD, "lenient",
         N_ ("lenient: check what AMPS needs; strict: check every rule of CloudEvents"),
         .words = { "lenient", "strict" })
SETTING (DRAIN_TIMEOUT, gint64, drain_timeout, DURATION, "25s",
         N_ ("How long to wait for running jobs when stopping"), RANGE (0, YEAR),
         .for_clients = TRUE)
SETTING (PORT, guint16, port, NUMBER, "4000",
         N_ ("Port of the job API and the health checks; 0: only API_SOCKET"), RANGE (0, 65535),
         .for_clients = TRUE)
SETTING (METRICS_ENABLED, gboolean, metrics_enabled, BOOLEAN, "true",
         N_ ("Serve metrics for Prometheus"))
SETTING (METRICS_PORT, guint16, metrics_port, NUMBER, "9090", N_ ("Port of the metrics"),
         RANGE (1, 65535))
SETTING (API_URL, const char *, api_url, BASE_URL, NULL,
         N_ ("Base URL of the job API for the workload (default: http://127.0.0.1:PORT)"),
         .secrecy = SECRECY_URI)
SETTING (API_SOCKET, const char *, api_socket, PATH, NULL,
         N_ ("Path of a unix socket that also serves the job API"), .maximum = MAX_SOCKET_PATH,
         .for_clients = TRUE)
SETTING (API_SOCKET_MODE, mode_t, api_socket_mode, MODE, "0660",
         N_ ("Permissions of that socket; callers need write permission"))
SETTING (API_TOKEN, const char *, api_token, TOKEN, NULL,
         N_ ("Bearer token that callers of the job API must send"), .secrecy = SECRECY_WHOLE,
         .from_file = TRUE, .for_clients = TRUE)
SETTING (API_ALLOW_REMOTE, gboolean, api_allow_remote, BOOLEAN, "false",
         N_ ("Serve the job API to other hosts without a token"))
SETTING (MAX_BODY_SIZE, gsize, max_body_size, SIZE, "16MiB",
         N_ ("Largest job, and largest request to the API"), RANGE (1024, 128 * MIB),
         .for_clients = TRUE)
SETTING (MAX_IN_FLIGHT_BYTES, gsize, max_in_flight_bytes, SIZE, "256MiB",
         N_ ("Take no more jobs while those in flight have this many bytes"), RANGE (1024, TIB))
SETTING (LOG_FORMAT, AmpsLogFormat, log_format, WORD, "auto",
         N_ ("auto (text on a terminal, else journal or json), text, json or journal"),
         .words = { "auto", "text", "json", "journal" })
SETTING (DEBUG, gboolean, debug, BOOLEAN, "false", N_ ("Log every step of each job"))
SETTING (SENTRY_DSN, const char *, sentry_dsn, SENTRY_DSN, NULL,
         N_ ("DSN of the Sentry project that errors are reported to"), .secrecy = SECRECY_WHOLE,
         .from_file = TRUE)
SETTING (ENVIRONMENT, const char *, environment, TEXT, "development",
         N_ ("Name of the environment in error reports"))
SETTING (DBUS_BUS, const char *, dbus_bus, BUS, "auto",
         N_ ("D-Bus to appear on: auto, session, system, none or an address"),
         .words = { "auto", "session", "system", "none" }, .for_clients = TRUE)
INNER_SETTING (OTEL_EXPORTER_OTLP_ENDPOINT, COLLECTOR, NULL,
               N_ ("Collector of traces, OTLP over HTTP; spans go to its path v1/traces"),
               .secrecy = SECRECY_URI)
INNER_SETTING (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, COLLECTOR, NULL,
               N_ ("Complete URL for spans, instead of that one"), .secrecy = SECRECY_URI)
SETTING (OTEL_EXPORTER_OTLP_HEADERS, const char *, otlp_headers, PAIRS, NULL,
         N_ ("Headers for the collector: name=value, several separated by commas"),
         .secrecy = SECRECY_WHOLE, .from_file = TRUE)
INNER_SETTING (OTEL_EXPORTER_OTLP_PROTOCOL, WORD, "http/json",
               N_ ("Protocol of the collector; AMPS sends only http/json"),
               .words = { "http/json", "http/protobuf", "grpc" })
SETTING (OTEL_EXPORTER_OTLP_TIMEOUT, unsigned int, otlp_timeout, NUMBER, "10000",
         N_ ("Time limit for the collector's answer, in milliseconds"), RANGE (1, 3600000))
SETTING (OTEL_SERVICE_NAME, const char *, service_name, TEXT, NULL,
         N_ ("Name of this service in traces (default: amps)"), .maximum = 255)
SETTING (OTEL_RESOURCE_ATTRIBUTES, const char *, resource_attributes, PAIRS, NULL,
         N_ ("Further attributes of this AMPS in traces: name=value, separated by commas"))
SETTING (OTEL_TRACES_SAMPLER, AmpsTraceSampling, trace_sampling, WORD, "parentbased_always_on",
         N_ ("Which traces are recorded"),
         .words = { "always_on", "always_off", "traceidratio", "parentbased_always_on",
                    "parentbased_always_off", "parentbased_traceidratio" })
INNER_SETTING (OTEL_TRACES_SAMPLER_ARG, RATIO, "1.0",
               N_ ("Share of the traces that a traceidratio sampler records, from 0 to 1"))
INNER_SETTING (OTEL_TRACES_EXPORTER, WORD, "otlp", N_ ("none: record no traces"),
               .words = { "otlp", "none" })
INNER_SETTING (OTEL_SDK_DISABLED, BOOLEAN, "false", N_ ("Record no traces"))

#undef SETTING
#undef INNER_SETTING
