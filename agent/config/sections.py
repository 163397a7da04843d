"""The tables of the configuration, one class each.

Durations are seconds and sizes are bytes here, whatever they were written as. A key stands
here if, and only if, it works.
"""

import os
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from agent.config.addresses import covers
from agent.config.fields import (
    Argument,
    BindAddress,
    BypassedHost,
    ConfirmAfter,
    Engine,
    Every,
    EveryFailing,
    GateHeaderName,
    Grace,
    HeaderName,
    HeaderValue,
    Limit,
    Memory,
    MetaName,
    OneLineSecret,
    OwnAddress,
    Params,
    Pattern,
    PositiveDuration,
    ProxyAddress,
    QueueAddress,
    ReleaseHeader,
    RunLink,
    Selectors,
    SentHeaderName,
    SiteAddress,
    Size,
    Starts,
    Text,
    Timezone,
    Title,
    Token,
    WebAddress,
)
from agent.core.beacon_report import BeaconChoice
from agent.core.model import CONFIRM_AFTER, FailOn
from agent.core.suspension import Mode

Kept = Literal["all", "failed", "none"]
"""Of which attempts something is kept."""


class Section(BaseModel):
    """A table of the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _once(vendors: dict[str, BeaconChoice]) -> dict[str, BeaconChoice]:
    """Refuse a vendor that is named twice, in different case."""
    seen: dict[str, str] = {}
    for name in vendors:
        if not name.strip():
            raise ValueError('a vendor has a name, such as "Google Analytics"')
        if (other := seen.setdefault(name.casefold(), name)) != name:
            raise ValueError(f'"{other}" and "{name}" are one vendor: keep one of them')
    return vendors


Vendors = Annotated[dict[str, BeaconChoice], AfterValidator(_once)]


class BeaconsSection(Section):
    """``[beacons]``: what becomes of the hits that pages send to vendors of analytics."""

    policy: BeaconChoice = "block"
    vendors: Vendors = {}


class SiteBeaconsSection(Section):
    """``[sites.NAME.beacons]``: what differs for one site; None: nothing."""

    policy: BeaconChoice | None = None
    vendors: Vendors = {}


class ReleaseSection(Section):
    """``[sites.NAME.release]``: where a site's documents say which release answered.

    Neither header nor meta: in a usual header, or not at all. ``origins`` are those whose
    documents say it; none: all first parties.
    """

    header: ReleaseHeader = ""
    meta: MetaName = ""
    origins: tuple[Pattern, ...] = ()

    @model_validator(mode="after")
    def _says_it_one_way(self) -> Self:
        if self.header and self.meta:
            raise ValueError(
                'documents say their release in a header, header = "X-Version", or in their '
                'HTML, meta = "version": both are given, keep one of them'
            )
        return self


class SiteGateSection(Section):
    """``[sites.NAME.gate]``: what a release gate may be told by whoever asks for one.

    Where a site has this table, a worker more is kept for its gates.
    """

    urls: tuple[Pattern, ...] = ()
    headers: tuple[GateHeaderName, ...] = ()
    secrets: bool = False


class SiteSection(Section):
    """``[sites.NAME]``: a target and the origins that are its own."""

    url: SiteAddress
    first_party: tuple[Pattern, ...] = Field(default=(), validate_default=True)
    beacons: SiteBeaconsSection = SiteBeaconsSection()
    release: ReleaseSection = ReleaseSection()
    gate: SiteGateSection | None = None

    @field_validator("first_party")
    @classmethod
    def _covers_the_site(cls, patterns: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        url = info.data.get("url")
        example = url or "https://shop.example.com"
        if not patterns:
            raise ValueError(
                "a site needs its first-party patterns, the origins that get the identity "
                f'headers: write first_party = ["{example}"]'
            )
        if url is not None and not any(covers(pattern, url) for pattern in patterns):
            raise ValueError(
                f'no pattern covers the site\'s own address: add "{url}" to first_party'
            )
        return patterns

    @model_validator(mode="after")
    def _tells_releases_of_its_own(self) -> Self:
        told, own = self.release.origins, self.first_party
        strange = [one for one in told if not any(covers(pattern, one) for pattern in own)]
        if strange := [one for one in strange if one not in own]:
            raise ValueError(
                f"release.origins: no pattern of first_party takes in {', '.join(strange)}"
            )
        return self


class ScheduleSection(Section):
    """``[schedule]``: what holds for a journey where nothing else is said."""

    every: Every = "1m"
    timezone: Timezone = "UTC"
    timeout: PositiveDuration = 30.0
    grace: Grace = 2.0
    confirm: bool = True
    confirm_after: ConfirmAfter = CONFIRM_AFTER
    slow: Limit = 0.0
    every_failing: EveryFailing = 0.0


class JourneySection(Section):
    """``[journey.NAME]``: what the operator changes about one journey; None: nothing."""

    every: Every | None = None
    timezone: Timezone | None = None
    timeout: PositiveDuration | None = None
    grace: Grace | None = None
    confirm: bool | None = None
    confirm_after: ConfirmAfter | None = None
    fail_on: tuple[FailOn, ...] | None = None
    slow: Limit | None = None
    every_failing: EveryFailing | None = None
    public: Title | None = None
    enabled: bool = True
    params: Params = {}


class WorkersSection(Section):
    """``[workers]``: how many there are, and when one is replaced."""

    count: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=1000)
    max_runs: int = Field(default=50, ge=1, le=1_000_000)
    max_age: PositiveDuration = 3600.0
    max_memory: Memory = 1 << 30


class CanarySection(Section):
    """``[canary]``: addresses that answer when the agent's own network works."""

    reference: tuple[WebAddress, ...] = ()


class BrowserSection(Section):
    """``[browser]``: which browser, how it is started, and the proxy that it goes through.

    An empty executable: find one. An empty proxy: that of the standard variables.
    """

    engine: Engine = "chromium"
    executable: Argument = ""
    headless: bool = True
    args: tuple[Argument, ...] = ()
    proxy: ProxyAddress = ""
    proxy_bypass: tuple[BypassedHost, ...] = ()


class IdentitySection(Section):
    """``[identity]``: how the agent's own traffic shows itself."""

    info_url: WebAddress = "https://example.com/synthetic"
    header: HeaderName = "X-Synthetic-Journey"
    hold: Literal["auto", "all", "calls"] = "auto"
    signing_key: Argument = ""


class TelemetrySection(Section):
    """``[telemetry]``: where results go, and how much waits on disk until they can."""

    endpoint: WebAddress = "http://127.0.0.1:4318"
    protocol: Literal["http/protobuf", "grpc"] = "http/protobuf"
    interval: PositiveDuration = 15.0
    headers: dict[SentHeaderName, HeaderValue] = {}
    spool_bytes: Size = 512 << 20
    spool_age: PositiveDuration = 86_400.0


class ArtifactsSection(Section):
    """``[artifacts]``: what evidence is kept, and how much of it."""

    keep: Kept = "failed"
    trace: Kept = "failed"
    max_bytes: Size = 1 << 30
    max_age: PositiveDuration = 14 * 86_400.0


class MaintenanceSection(Section):
    """``[[maintenance]]``: a window in which journeys are not walked, or page nobody.

    A cron line begins it again and again, ``starts`` once; in ``timezone``, where a time has no
    zone of its own.
    """

    journeys: Selectors
    cron: Text | None = None
    starts: Starts | None = None
    timezone: Timezone = "UTC"
    lasts: PositiveDuration
    mode: Mode = Mode.STOP
    reason: str = ""

    @model_validator(mode="after")
    def _begins_one_way(self) -> Self:
        if (self.cron is None) == (self.starts is None):
            told = "neither of the two is given" if self.cron is None else "both are given"
            raise ValueError(
                'a window begins by cron = "0 3 * * 0", again and again, or once, by '
                f"starts = 2026-12-01T03:00:00: {told}"
            )
        return self


class QueueSection(Section):
    """``[queue]``: the server that the replicas of a location share; without one, none is.

    ``credentials`` and ``ca`` are files; ``rerun`` has a slot walked again whose walk was lost
    with its replica.
    """

    url: QueueAddress = SecretStr("")
    credentials: Argument = ""
    token: OneLineSecret = SecretStr("")
    ca: Argument = ""
    rerun: bool = False

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        user = "@" in self.url.get_secret_value()
        ways = [bool(self.credentials), bool(self.token.get_secret_value()), user]
        if sum(ways) > 1:
            raise ValueError(
                "takes one of `credentials`, `token`, and a user and password in `url`"
            )
        if not self.url.get_secret_value() and (self.credentials or self.ca or any(ways)):
            raise ValueError("needs `url`: without it no server is asked")
        return self


class LinksSection(Section):
    """``[links]``: what the page of a run leads to."""

    trace: RunLink = ""


class ServerSection(Section):
    """``[server]``: where health and API listen. Port 0 takes any free one."""

    host: BindAddress = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65_535)
    token: Token = SecretStr("")
    url: OwnAddress = ""
    public_host: BindAddress = "127.0.0.1"
    public_port: int = Field(default=0, ge=0, le=65_535)
