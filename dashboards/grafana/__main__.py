"""Writes dashboards/grafana/json: `make grafana`.

python -m dashboards.grafana           # write
python -m dashboards.grafana --check   # exit 1 if a file is stale
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import GridPos, Panel, RowPanel

from dashboards.grafana import audit, delivery, links, machines, overview, pipeline
from dashboards.grafana.parts import WIDTH

FOLDER = Path(__file__).parent / "json"
ALL = (overview, delivery, links, machines, pipeline, audit)


def texts() -> dict[str, str]:
    """File name -> JSON of every dashboard."""
    made = {}
    for module in ALL:
        dashboard = module.dashboard().build()
        lay_out(dashboard.panels or [])
        text = json.dumps(dashboard, cls=JSONEncoder, indent=1, sort_keys=True, ensure_ascii=False)
        made[f"{module.UID.removeprefix('sendtrail-')}.json"] = text + "\n"
    return made


def lay_out(panels: Sequence[Panel | RowPanel]) -> None:
    """Number panels, and put each where the one before ends: in the same line while there is room."""
    x = y = height = 0
    for number, panel in enumerate(panels, 1):
        size = panel.grid_pos or GridPos()
        width, own = (WIDTH, 1) if isinstance(panel, RowPanel) else (size.w, size.h)
        if x + width > WIDTH:
            x, y, height = 0, y + height, 0
        panel.id_val, panel.grid_pos = number, GridPos(x=x, y=y, w=width, h=own)
        x, height = x + width, max(height, own)


def main() -> int:
    """Write or check; 1 if a checked file is stale."""
    made, there = texts(), {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.json")}
    if "--check" in sys.argv:
        stale = sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))
        for name in stale:
            print(f"dashboards/grafana/json/{name} is stale: run `make grafana`", file=sys.stderr)
        return 1 if stale else 0
    for name in there.keys() - made.keys():
        (FOLDER / name).unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
