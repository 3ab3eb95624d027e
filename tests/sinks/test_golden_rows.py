"""Every golden event becomes the row it always became: what a kind stores is frozen with the kind."""

import pytest

from sendtrail.enriched import EventRow, decode_row
from sinks.rows import build
from tests.support.golden import Golden, golden_events
from tests.support.tracked import DEFAULTS, ListLookup, as_given, rows_of

FOUND_OUT = (
    b',"row":"event","so":40,"si":1,"class":"machine","reasons":["known_bot","burst"],"ruleset":"3","client":"Safari",'
    b'"client_version":"17.2","os":"iOS","device":"phone","network":"example-net","country":"FR",'
    b'"person":"000102030405060708090a0b0c0d0e0f","label":"Autumn","campaign":"spring"}'
)


@pytest.mark.parametrize("version", sorted({example["version"] for example in golden_events()}))
def test_golden_events_give_golden_rows(golden: Golden, version: int) -> None:
    rows = []
    for example in golden_events():
        if example["version"] != version or example["kind"] == "relabel":
            continue
        row = decode_row(example["line"].encode().rstrip().removesuffix(b"}") + FOUND_OUT)
        assert isinstance(row, EventRow), example["name"]
        (stored,) = rows_of(build([as_given(40, [row])], ListLookup()).events)
        told = {name: value for name, value in stored.items() if value != DEFAULTS[name]}
        told["event_id"] = told["event_id"].hex()
        rows.append({"kind": example["kind"], "name": example["name"], "row": told})
    golden.check(f"rows/v{version}.json", rows)
