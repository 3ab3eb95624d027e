"""Every report on 200,000 events loaded through the loader's own row mapping, against the recounts of the other tests.

The world is made once for this file; `world` and `world_queries` are those of the package, on it.
"""

from collections.abc import Iterator
from random import Random

import pytest

from dashboards.indicators import Cut
from dashboards.queries import Queries
from sendtrail.events import HITS
from tests.dashboards import (
    test_compare,
    test_dashboard,
    test_recount,
    test_recount_traffic,
    test_since_start,
    test_site,
    test_summary,
    test_who,
)
from tests.dashboards.happenings import FOREIGN, register, register_urls, store_indicators
from tests.dashboards.loaded import load_all
from tests.dashboards.test_recount import CUTS
from tests.dashboards.world import BIG, REGISTERED, URLS, World, make
from tests.support.line import migrated
from tests.support.stack import ClickHouse, random_name

ONE, SEVERAL = [1], [1, 2, 3, 4, BIG]
CASES: list[tuple[list[int], Cut]] = [(ONE, "people"), (SEVERAL, "people"), (SEVERAL, "all")]


@pytest.fixture(scope="module")
def world_database(clickhouse: ClickHouse) -> Iterator[str]:
    """Name of this world's database."""
    name = random_name("big")
    yield name
    with clickhouse.client() as client:
        client.execute(f"DROP DATABASE IF EXISTS {name} SYNC")


@pytest.fixture(scope="module")
def world(clickhouse: ClickHouse, world_database: str) -> World:
    """The events as they happened; the same are in the database."""
    made = make(seed=11, hits=176_000, scale=5)
    with migrated(clickhouse, world_database) as client:
        register(client, REGISTERED)
        register_urls(client, [(d.delivery, url_id, *told) for d in REGISTERED for url_id, told in URLS.items()])
        assert load_all(client, made.happenings, Random(12)) == len(made.happenings)
        store_indicators(client)
    return made


def test_the_world_is_as_large_and_as_odd_as_it_should_be(world: World) -> None:
    hits = [one for one in world.happenings if one.kind in HITS]
    assert len(world.happenings) >= 200_000
    assert sum(len(one.judgements) > 1 for one in hits) > 20_000  # judged again
    assert sum(one.final.repeat for one in hits) > 10_000
    assert sum(one.seed for one in hits) > 500
    assert sum(one.marks == FOREIGN for one in hits) > 5_000


@pytest.mark.parametrize(("keys", "cut"), CASES)
def test_indicators_and_domains(world: World, world_queries: Queries, keys: list[int], cut: Cut) -> None:
    test_recount.test_indicators_equal_a_recount(world, world_queries, keys, cut, live=cut == "people")
    test_recount.test_domains_equal_a_recount_and_add_up(world, world_queries, keys, cut)
    test_recount.test_money_and_shares_equal_a_recount(world, world_queries, keys, cut)


@pytest.mark.parametrize(("keys", "cut"), CASES)
def test_links_and_time(world: World, world_queries: Queries, keys: list[int], cut: Cut) -> None:
    test_recount.test_links_equal_a_recount_and_add_up(world, world_queries, keys, cut, "label")
    test_recount.test_links_equal_a_recount_and_add_up(world, world_queries, keys, cut, "position")
    test_recount.test_statistics_equal_a_recount(world, world_queries, keys, cut)
    test_since_start.test_growth_equals_a_recount(world, world_queries, keys, cut, "24h")
    test_since_start.test_click_streams_equal_a_recount_and_add_up(world, world_queries, keys, cut, "url", "3d")


@pytest.mark.parametrize("cut", CUTS)
def test_comparison(world: World, world_queries: Queries, cut: Cut) -> None:
    test_compare.test_the_comparison_equals_a_recount(world, world_queries, SEVERAL, cut, live=True)


@pytest.mark.parametrize("cut", CUTS)
def test_lists(world: World, world_queries: Queries, cut: Cut) -> None:
    test_who.test_a_list_is_as_long_as_its_count(world, world_queries, ONE, cut)
    test_who.test_a_list_is_as_long_as_its_count(world, world_queries, SEVERAL, cut)
    test_who.test_clicks_by_link_and_times_equal_a_recount(world, world_queries, cut)
    test_who.test_the_inactive_equal_a_recount(world, world_queries, cut)


@pytest.mark.parametrize("cut", CUTS)
def test_the_site(world: World, world_queries: Queries, cut: Cut) -> None:
    test_site.test_the_site_equals_a_recount(world, world_queries, cut, "delivery", 1)
    test_site.test_the_funnel_equals_a_recount(world, world_queries, cut)
    test_site.test_visits_of_one_delivery_equal_a_recount(world, world_queries, cut)


@pytest.mark.parametrize(("keys", "cut"), CASES)
def test_the_other_reports(world: World, world_queries: Queries, keys: list[int], cut: Cut) -> None:
    test_dashboard.test_figures_and_funnel_equal_a_recount(world, world_queries, keys, cut)
    test_dashboard.test_throughput_equals_a_recount(world, world_queries, keys, cut, "Asia/Kolkata")
    test_summary.test_the_summary_equals_a_recount(world, world_queries, keys, cut)
    test_recount_traffic.test_hot_clicks_equal_a_recount_and_add_up(world, world_queries, keys, cut)
    test_recount_traffic.test_activity_equals_a_recount_on_the_readers_clock(
        world, world_queries, keys, cut, "America/St_Johns"
    )
    test_recount_traffic.test_clients_equal_a_recount_and_add_up(world, world_queries, keys, cut, 20)


def test_machines(world: World, world_queries: Queries) -> None:
    test_recount_traffic.test_machine_hits_equal_a_recount_and_add_up(world, world_queries, SEVERAL)
