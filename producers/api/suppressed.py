"""ClickHouse -> pages of suppressions: who must not be written to any more, each exactly once (docs/decisions/0018)."""

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from clickhouse_driver import Client

from producers.api.cursor import Cursor, Lane, Position
from producers.api.times import text_of
from sendtrail.naming import HASHED

Row = dict[str, Any]

#: Read only, and bounded; settings of a query may still change (readonly = 2).
_SETTINGS = {"readonly": 2, "max_execution_time": 30}
#: Rows of other accounts are passed over: so many looks at most before an answer.
_LOOKS = 8
_REASONS = {"optout": "opt_out", "bounced": "hard_bounce", "complained": "complaint", "unsubscribed": "unsubscribed"}


class Page(NamedTuple):
    """Some suppressions, the cursor behind them, and whether more are there already."""

    entries: list[dict[str, Any]]
    cursor: Cursor
    more: bool


class Suppressions:
    """Reads pages on one connection. Lets the driver's errors through."""

    def __init__(self, client: Client, replicated: bool) -> None:
        self._client = client
        self._replicated = replicated

    def page(self, cursor: Cursor, limit: int) -> Page:
        """The next suppressions of the cursor's account, `limit` at most."""
        horizons = self._horizons()
        found: list[Row] = []
        for _ in range(_LOOKS):
            rows = self._next(cursor, horizons, limit - len(found))
            whole = len(rows) < limit - len(found)
            found += self._of_account(rows, cursor.account)
            cursor = cursor.moved(passed(rows, horizons, whole))
            if whole or len(found) == limit:
                return Page(self._entries(found), cursor, not whole)
        return Page(self._entries(found), cursor, True)

    def _horizons(self) -> dict[Lane, int]:
        rows = self._rows("horizons")
        if self._replicated and rows:
            # What `audit` says was in `events` before; a replica fetches tables one by one, so let it come.
            self._client.execute("SYSTEM SYNC REPLICA events LIGHTWEIGHT")
        return {(row["src_topic"], row["src_partition"]): row["horizon"] for row in rows}

    def _next(self, cursor: Cursor, horizons: dict[Lane, int], limit: int) -> list[Row]:
        lanes = [(lane, cursor.at(lane), end) for lane, end in horizons.items() if cursor.at(lane).offset <= end]
        if not lanes:
            return []
        return self._rows(
            "suppressing",
            topics=[topic for (topic, _), _, _ in lanes],
            partitions=[partition for (_, partition), _, _ in lanes],
            from_offsets=[position.offset for _, position, _ in lanes],
            from_indexes=[position.number for _, position, _ in lanes],
            horizons=[end for _, _, end in lanes],
            least=min(position.offset for _, position, _ in lanes),
            limit=limit,
        )

    def _of_account(self, rows: Sequence[Row], account: str) -> list[Row]:
        """The rows of one account, with the names of their deliveries.

        A feed event says whose it is. A hit does not: it is of the account its delivery is registered or fed for, of
        the default one where nobody has told.
        """
        told = self._told({row["delivery_id"] for row in rows}, {row["delivery_id"] for row in rows if _is_hit(row)})
        kept = []
        for row in rows:
            known = told.get(row["delivery_id"], {})
            owner = known.get("account", "") if _is_hit(row) else row["account"]
            if owner == account:
                kept.append(row | {"delivery_name": known.get("name") or row["delivery_name"]})
        return kept

    def _told(self, deliveries: set[int], of_hits: set[int]) -> dict[int, Row]:
        """Account and name of deliveries as registered; those of hits else as fed."""
        if not deliveries:
            return {}
        told = {row["delivery_id"]: row for row in self._rows("delivery_accounts", deliveries=sorted(deliveries))}
        for delivery in sorted(of_hits - told.keys()):
            told |= {row["delivery_id"]: row for row in self._rows("delivery_fed", delivery=delivery)}
        return told

    def _entries(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        names = self._message_names(rows)
        for row in rows:
            named = names.get((row["delivery_id"], row["message_id"]))
            if named is not None:
                row["message_name"] = row["message_name"] or named["message"]
                row["recipient_name"] = row["recipient_name"] or named["recipient"]
                if row["recipient_key"] is None:
                    row["recipient_key"] = named["recipient_key"]
        nameless = {row["recipient_key"] for row in rows if not row["recipient_name"]} - {None}
        hashed = sorted(key for key in nameless if key >= HASHED)
        found = self._rows("recipient_names", recipients=hashed) if hashed else []
        recipients = {row["recipient_key"]: row["recipient"] for row in found}
        return [_entry(row, recipients) for row in rows]

    def _message_names(self, rows: Sequence[Row]) -> dict[tuple[int, int], Row]:
        keys = sorted({(row["delivery_id"], row["message_id"]) for row in rows})
        if not keys:
            return {}
        found = self._rows("message_names", deliveries=[key[0] for key in keys], messages=[key[1] for key in keys])
        return {(row["delivery_id"], row["message_id"]): row for row in found}

    def _rows(self, name: str, **parameters: Any) -> list[Row]:
        rows, columns = self._client.execute(
            _text(name), parameters or None, with_column_types=True, settings=_SETTINGS
        )
        names = [column for column, _ in columns]
        return [dict(zip(names, row, strict=True)) for row in rows]


def passed(rows: Sequence[Row], horizons: dict[Lane, int], whole: bool) -> dict[Lane, Position]:
    """Where each partition stands after these rows, which are in order of partition and place.

    `whole`: they are all there were, so every partition is done up to its horizon. Else those before the last row's
    are, and the last row's up to that row.
    """
    ends = {lane: Position(end + 1) for lane, end in horizons.items()}
    if whole or not rows:
        return ends
    last = rows[-1]
    lane = (last["topic"], last["partition"])
    before = {one: end for one, end in ends.items() if one < lane}
    return before | {lane: Position(last["offset"], last["number"] + 1)}


def _entry(row: Row, recipients: dict[int, str]) -> dict[str, Any]:
    key = row["recipient_key"]
    entry = {
        "reason": _REASONS[row["kind"]],
        "time": text_of(row["time_ms"], "milliseconds"),
        "recipient": row["recipient_name"] or recipients.get(key) or _own_name(key),
        "recipient_key": None if key is None else str(key),
        "delivery": row["delivery_name"] or _own_name(row["delivery_id"]),
        "delivery_key": str(row["delivery_id"]),
        "message": row["message_name"] or _own_name(row["message_id"]),
        "message_key": str(row["message_id"]),
        "event_id": row["id"],
    }
    more = {"how": row["how"], "bounce": row["reason"] if row["kind"] == "bounced" else "", "seed": bool(row["seed"])}
    return entry | {name: value for name, value in more.items() if value}


def _is_hit(row: Row) -> bool:
    return bool(row["kind"] == "optout")


def _own_name(key: int | None) -> str | None:
    """Small keys are names themselves (FORMATS, Keys)."""
    return str(key) if key is not None and key < HASHED else None


@cache
def _text(name: str) -> str:
    return (files("producers.api") / "sql" / f"{name}.sql").read_text("utf-8")


def lines_of(page: Page) -> Iterable[dict[str, Any]]:
    """A page as JSON lines: its entries, then where to go on."""
    yield from page.entries
    yield {"cursor": page.cursor.text(), "more": page.more}
