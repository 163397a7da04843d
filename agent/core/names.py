"""Every name that leaves the agent: metrics, spans, logs and their attributes.

These names are public. Changing one breaks somebody's alert.
"""

from __future__ import annotations

from typing import Final

SCOPE: Final = "footfall"
"""The instrumentation scope of everything."""

# The resource
SERVICE_NAME: Final = "service.name"
SERVICE_VERSION: Final = "service.version"
SERVICE_INSTANCE: Final = "service.instance.id"
DEPLOYMENT: Final = "deployment.environment.name"

# Metrics
RUNS: Final = "footfall.journey.runs"
ATTEMPTS: Final = "footfall.journey.attempts"
DURATION: Final = "footfall.journey.duration"
UP: Final = "footfall.journey.up"
CONSECUTIVE_FAILURES: Final = "footfall.journey.consecutive_failures"
LAST_RUN: Final = "footfall.journey.last_run"
LAST_SUCCESS: Final = "footfall.journey.last_success"
INTERVAL: Final = "footfall.journey.interval"
SUSPENDED: Final = "footfall.journey.suspended"
SLOW: Final = "footfall.journey.slow"
CONSECUTIVE_SLOW: Final = "footfall.journey.consecutive_slow"
STEP_DURATION: Final = "footfall.step.duration"
WEB_VITAL: Final = "footfall.web_vital"
WEB_VITAL_CLS: Final = "footfall.web_vital.cls"
REQUESTS: Final = "footfall.requests"
BEACONS: Final = "footfall.beacons"
PAGE_ERRORS: Final = "footfall.page_errors"
TLS_EXPIRY: Final = "footfall.tls.expiry"
TLS_LIFETIME: Final = "footfall.tls.lifetime"
SCHEDULE_EXPECTED: Final = "footfall.schedule.expected"
SCHEDULE_SKIPPED: Final = "footfall.schedule.skipped"
SCHEDULE_LATENESS: Final = "footfall.schedule.lateness"
AGENT_WORKERS: Final = "footfall.agent.workers"
AGENT_WORKER_RESTARTS: Final = "footfall.agent.worker_restarts"
AGENT_QUEUE_DEPTH: Final = "footfall.agent.queue_depth"
REPLICAS: Final = "footfall.queue.replicas"
AGENT_MEMORY: Final = "footfall.agent.memory"
AGENT_PROCESSES: Final = "footfall.agent.processes"
AGENT_DRAINING: Final = "footfall.agent.draining"
RELOAD_SUCCESS: Final = "footfall.config.reload_success"
RELOAD_TIME: Final = "footfall.config.reload_time"
SPOOL_ITEMS: Final = "footfall.spool.items"
SPOOL_BYTES: Final = "footfall.spool.bytes"
SPOOL_OLDEST_AGE: Final = "footfall.spool.oldest_age"
SPOOL_SENT: Final = "footfall.spool.sent"
SPOOL_DROPPED: Final = "footfall.spool.dropped"

# Attributes of metric data points
JOURNEY: Final = "journey"
SITE: Final = "site"
LOCATION: Final = "location"
RESULT: Final = "result"
ERROR_TYPE: Final = "error.type"
STEP: Final = "step"
VITAL: Final = "vital"
PARTY: Final = "party"
OUTCOME: Final = "outcome"
VENDOR: Final = "vendor"
ACTION: Final = "action"
REASON: Final = "reason"
STATE: Final = "state"
MODE: Final = "mode"
END: Final = "end"
SIGNAL: Final = "signal"
HOST: Final = "host"

OTHER_STEP: Final = "_OTHER"
"""The ``step`` of every step beyond the bound on names a journey."""

# Spans
JOURNEY_SPAN: Final = "journey {name}"
ATTEMPT_SPAN: Final = "attempt {number}"
STEP_SPAN: Final = "step {name}"

# Attributes of spans and logs
SYNTHETIC_TYPE: Final = "user_agent.synthetic.type"
SYNTHETIC_TEST: Final = "test"
SUITE_NAME: Final = "test.suite.name"
CASE_NAME: Final = "test.case.name"
CASE_STATUS: Final = "test.case.result.status"
RUN_ID: Final = "footfall.run.id"
RUN_RESULT: Final = "footfall.result"
RUN_TRIGGER: Final = "footfall.run.trigger"
RUN_LOCATION: Final = "footfall.location"
RUN_OWNER: Final = "footfall.owner"
RUN_ARTIFACTS: Final = "footfall.artifacts"
RUN_CLOSER: Final = "footfall.run.closer"
RUN_SLOW: Final = "footfall.slow"
RELEASE: Final = "footfall.release"
ATTEMPT_NUMBER: Final = "footfall.attempt.number"
STEP_NAME: Final = "footfall.step.name"
STEP_RESULT: Final = "footfall.step.result"
STEP_SLOW: Final = "footfall.step.slow"
STEP_OPTIONAL: Final = "footfall.step.optional"
STEP_VITALS: Final = {
    "lcp": "footfall.web_vital.lcp",
    "fcp": "footfall.web_vital.fcp",
    "ttfb": "footfall.web_vital.ttfb",
    "inp": "footfall.web_vital.inp",
    "cls": WEB_VITAL_CLS,
}
REQUEST_KIND: Final = "footfall.request.kind"
REQUEST_METHOD: Final = "http.request.method"
REQUEST_METHOD_ORIGINAL: Final = "http.request.method_original"
OTHER_METHOD: Final = "_OTHER"
RESPONSE_STATUS: Final = "http.response.status_code"
URL: Final = "url.full"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"

# The log record of a run, and what only it carries
RUN_FINISHED: Final = "footfall.run.finished"
JOURNEY_DOWN: Final = "journey.down"
JOURNEY_UP: Final = "journey.up"
LOG_FAILURES: Final = "footfall.failures"
LOG_SINCE: Final = "footfall.down.since"
LOG_DOWN_FOR: Final = "footfall.down.seconds"
LOG_JOURNEY: Final = "footfall.journey"
LOG_SITE: Final = "footfall.site"
LOG_ERROR: Final = "footfall.error"
LOG_FILE: Final = "code.file.path"
LOG_LINE: Final = "code.line.number"
LOG_FAILED_STEP: Final = "footfall.failed_step"
LOG_SCREENSHOT: Final = "footfall.screenshot"
LOG_RUNBOOK: Final = "footfall.runbook"
LOG_SEVERITY: Final = "footfall.severity"
LOG_CHANGE: Final = "footfall.change"
LOG_DEPLOY_RELEASE: Final = "footfall.deploy.release"
LOG_DEPLOY_SECONDS: Final = "footfall.deploy.seconds"
LOG_DURATION: Final = "footfall.duration"
LOG_ESCAPED: Final = "footfall.beacons.escaped"
