"""Write every dashboard into the folder that Grafana is pointed at."""

from __future__ import annotations

from deploy.grafana.source.render import DASHBOARDS, FOLDER, render


def main() -> None:
    """Overwrite the files."""
    FOLDER.mkdir(exist_ok=True)
    for name in DASHBOARDS:
        (FOLDER / f"{name}.json").write_text(render(name), "utf-8")


if __name__ == "__main__":
    main()
