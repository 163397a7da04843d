"""The messages between supervisor and worker, as JSON.

Large things (screenshots, traces) stay in the scratch folder and travel by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from agent.core.limits import (
    MOST_ATTRIBUTES,
    Authority,
    Count,
    Label,
    Message,
    Name,
    Problems,
    Seconds,
    first,
)
from agent.core.model import Definition, Hold, Journey, PopupHandlers
from agent.core.proxies import Proxies
from agent.core.results import AttemptReport, SpanData, Step


@dataclass(frozen=True, slots=True)
class Configure:
    """To the worker, first: what holds for its whole life. Holds no secret.

    ``journeys`` is the folder as its authors know it.
    """

    journeys: str
    executable: str
    args: list[str]
    headless: bool
    info_url: str
    header: str
    version: str
    hold: Hold = "calls"
    browser: bool = True
    """Whether it walks in browsers; else ``executable`` is started by nobody."""
    copy: str = ""
    """Where the code of the journeys is read from; "": from the folder itself."""
    inspected: bool = False
    """Whether a person steps through each walk in Playwright's inspector."""
    kind: Literal["configure"] = "configure"


@dataclass(frozen=True, slots=True)
class Discover:
    """To the worker: import these journey files, one by one."""

    files: list[str]
    kind: Literal["discover"] = "discover"


@dataclass(frozen=True, slots=True)
class SignatureReply:
    """To the worker: the headers that prove the agent to one authority; none: unsigned."""

    authority: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    expires: int = 0
    """Unix seconds."""
    kind: Literal["signature"] = "signature"


@dataclass(frozen=True, slots=True)
class Walk:
    """To the worker: one attempt at a journey."""

    run_id: str
    journey: Journey
    attempt: int
    trace_id: str
    span_id: str
    canary_url: str
    scratch: str
    record_trace: bool
    signatures: list[SignatureReply] | None = None
    """Those for the site's known origins; others are asked for. None: nothing is signed."""
    proxies: Proxies = field(default_factory=Proxies)
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    """Sent to first parties besides; all requests to them are held for it then."""
    kind: Literal["walk"] = "walk"


@dataclass(frozen=True, slots=True)
class SecretReply:
    """To the worker: a secret's value, or why there is none."""

    name: str
    value: str | None = field(repr=False)
    error: str = ""
    kind: Literal["secret"] = "secret"


@dataclass(frozen=True, slots=True)
class GiveWay:
    """To the worker, under a walk: memory runs short, so what only records it must give way.

    First the recorder, then the evidence that is still to be saved; never the walk itself.
    Told once in a walk.
    """

    kind: Literal["give_way"] = "give_way"


@dataclass(frozen=True, slots=True)
class Ready:
    """From the worker: the driver runs and a browser was started once (or why not)."""

    error: Message = ""
    kind: Literal["ready"] = "ready"


@dataclass(frozen=True, slots=True)
class FileStarted:
    """From the worker: it begins to import this file."""

    file: str
    kind: Literal["file_started"] = "file_started"


@dataclass(frozen=True, slots=True)
class FileLoaded:
    """From the worker: what this file holds."""

    file: str
    definitions: list[Definition]
    problems: Problems
    popups: list[PopupHandlers] = field(default_factory=list)
    kind: Literal["file_loaded"] = "file_loaded"


@dataclass(frozen=True, slots=True)
class Started:
    """From the worker: the browser is up and the journey begins; the deadline runs."""

    kind: Literal["started"] = "started"


@dataclass(frozen=True, slots=True)
class StepStarted:
    """From the worker: a step begins."""

    name: Name
    depth: Count
    kind: Literal["step_started"] = "step_started"


@dataclass(frozen=True, slots=True)
class StepEnded:
    """From the worker: a step is over."""

    step: Step
    depth: Count
    kind: Literal["step_ended"] = "step_ended"


@dataclass(frozen=True, slots=True)
class SpanEnded:
    """From the worker: a finished span; sent at once, so that a killed run keeps it."""

    span: SpanData
    kind: Literal["span"] = "span"


@dataclass(frozen=True, slots=True)
class Logged:
    """From the worker: what the author wrote through ``run.log``."""

    level: Label
    event: Message
    fields: Annotated[dict[Name, Any], first(MOST_ATTRIBUTES)]
    kind: Literal["log"] = "log"


@dataclass(frozen=True, slots=True)
class SecretWanted:
    """From the worker: the journey asks for a secret."""

    name: Label
    kind: Literal["secret_wanted"] = "secret_wanted"


@dataclass(frozen=True, slots=True)
class SignatureWanted:
    """From the worker: a request goes to an authority for which it has no good signature."""

    authority: Authority
    kind: Literal["signature_wanted"] = "signature_wanted"


@dataclass(frozen=True, slots=True)
class Blocked:
    """From the worker's watchdog: the event loop has been standing still for so long."""

    seconds: Seconds
    where: Name
    in_journey: bool
    kind: Literal["blocked"] = "blocked"


@dataclass(frozen=True, slots=True)
class OutcomeKnown:
    """From the worker: what the journey came to, and the canary's word where one is needed.

    Sent before any evidence is saved: whatever then becomes of the worker, this is what the
    attempt came to. Its report names no evidence.
    """

    report: AttemptReport
    kind: Literal["outcome"] = "outcome"


@dataclass(frozen=True, slots=True)
class Walked:
    """From the worker: the attempt is over, its evidence saved; nothing later changes it."""

    report: AttemptReport
    kind: Literal["walked"] = "walked"


@dataclass(frozen=True, slots=True)
class Idle:
    """From the worker: the attempt's browser is gone and the next walk may come.

    ``fit`` is False where the journey left something behind that only a new process sheds.
    """

    fit: bool
    kind: Literal["idle"] = "idle"


ToWorker = Configure | Discover | Walk | SecretReply | SignatureReply | GiveWay
FromWorker = (
    Ready
    | FileStarted
    | FileLoaded
    | Started
    | StepStarted
    | StepEnded
    | SpanEnded
    | Logged
    | SecretWanted
    | SignatureWanted
    | Blocked
    | OutcomeKnown
    | Walked
    | Idle
)

TO_WORKER: TypeAdapter[ToWorker] = TypeAdapter(Annotated[ToWorker, Field(discriminator="kind")])
FROM_WORKER: TypeAdapter[FromWorker] = TypeAdapter(
    Annotated[FromWorker, Field(discriminator="kind")]
)
