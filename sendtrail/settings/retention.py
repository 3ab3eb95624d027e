"""How long what is stored stays."""

from typing import ClassVar

from pydantic import Field

from sendtrail.settings.section import Section


class RetentionSettings(Section):
    """How long ClickHouse keeps rows. A change takes effect with `sendtrail migrate` or the loader's next start."""

    section: ClassVar[str] = "retention"
    events_days: int = Field(
        400, ge=0, le=36_500,
        description="table events by event time, recipient_activity with it; opt-outs, complaints and bounces stay; "
        "0 = for ever",
    )  # fmt: skip
    rejects_days: int = Field(30, ge=0, le=36_500, description="table rejects by log time; 0 = for ever")
    audit_days: int = Field(
        400, ge=0, le=36_500, description="tables audit and purged_events by log time; 0 = for ever"
    )
    restorable_days: float = Field(
        7.0, ge=0, le=3650, description="a deleted delivery is hidden, and purged after so many days"
    )
    backups_days: int = Field(
        0, ge=0, le=36_500,
        description="how long back-ups of ClickHouse and disks are kept: an erasure's proof counts with it; 0 = none",
    )  # fmt: skip
