"""The configuration as the rest of the agent reads it: one frozen tree of sections."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import PrivateAttr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from agent.config.fields import Folder, JourneyKey, Name, Text
from agent.config.gate_sections import GateSection
from agent.config.provenance import KeyPath, Provenance
from agent.config.sections import (
    ArtifactsSection,
    BeaconsSection,
    BrowserSection,
    CanarySection,
    IdentitySection,
    JourneySection,
    LinksSection,
    MaintenanceSection,
    QueueSection,
    ScheduleSection,
    ServerSection,
    SiteSection,
    TelemetrySection,
    WorkersSection,
)
from agent.core.model import Hold
from agent.core.proxies import Proxies


class Settings(BaseSettings):
    """The whole configuration. ``agent.config.load`` makes one."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        env_prefix="FOOTFALL_",
        env_nested_delimiter="__",
        case_sensitive=True,  # of the file; the reader of variables says otherwise
    )

    location: Text = "local"
    environment: Text = "production"
    journeys: Folder = Path("journeys")
    state: Folder = Path("var")
    secrets_dir: Folder = Path("/run/secrets")
    sites: dict[Name, SiteSection] = {}
    schedule: ScheduleSection = ScheduleSection()
    journey: dict[JourneyKey, JourneySection] = {}
    workers: WorkersSection = WorkersSection()
    canary: CanarySection = CanarySection()
    browser: BrowserSection = BrowserSection()
    identity: IdentitySection = IdentitySection()
    beacons: BeaconsSection = BeaconsSection()
    telemetry: TelemetrySection = TelemetrySection()
    artifacts: ArtifactsSection = ArtifactsSection()
    server: ServerSection = ServerSection()
    links: LinksSection = LinksSection()
    queue: QueueSection = QueueSection()
    gate: GateSection = GateSection()
    maintenance: tuple[MaintenanceSection, ...] = ()

    _provenance: Provenance = PrivateAttr(default_factory=Provenance)
    _left_out: frozenset[KeyPath] = PrivateAttr(default=frozenset())
    _signing_keys: tuple[Ed25519PrivateKey, ...] = PrivateAttr(default=())
    _proxies: Proxies = PrivateAttr(default_factory=Proxies)

    def where(self, *path: str | int) -> str:
        """Say where the value of a key was given, such as ``config.toml:12 schedule.timeout``."""
        return self._provenance.where(path)

    def file_of(self, *path: str) -> Path | None:
        """Return the configuration file where it gives the value of a key itself."""
        return self._provenance.file_of(path)

    @property
    def keeps_warm(self) -> bool:
        """Whether a worker is kept for gates: some site has a table of what they may be told."""
        return any(site.gate is not None for site in self.sites.values())

    @property
    def signing_keys(self) -> tuple[Ed25519PrivateKey, ...]:
        """The keys of ``identity.signing_key`` as they were at load, the last one signs."""
        return self._signing_keys

    @property
    def hold(self) -> Hold:
        """Which requests get the whole identity; ``auto``: all of them where they are signed."""
        if self.identity.hold != "auto":
            return self.identity.hold
        return "all" if self.identity.signing_key else "calls"

    @property
    def proxies(self) -> Proxies:
        """What pages, ``run.api`` and reference addresses go through: key over variables."""
        return self._proxies

    def left_out(self, *path: str) -> bool:
        """Whether a key, or a table above it, was given but faulty, and so left out."""
        return any(path[:length] in self._left_out for length in range(1, len(path) + 1))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is the library's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from ``load`` alone, which merges the sources and knows which gave what."""
        return (init_settings,)
