"""Columns and words of report `site`."""

from dashboards.report_indicators import MONEY as MONEY_OF_DELIVERIES
from dashboards.shape import Column, Note

FIGURES = [
    Column("visits", "visits", "count", "web and transaction hits"),
    Column("visitors", "visitors", "count", "distinct persons with a visit"),
    Column("pages", "pages", "count", "distinct pages visited, without what follows ?"),
    Column("transactions", "transactions", "count", "transaction hits"),
    Column("buyers", "buyers", "count", "distinct persons with a transaction"),
    Column("conversion", "conversion", "rate", "buyers / visitors"),
]
MONEY = MONEY_OF_DELIVERIES[:-1]  # a site has no messages to share the amount
FUNNEL = [
    Column("step", "step", "text", "visited, the steps of setting reports.site_steps, bought"),
    Column("pages", "pages", "text", "of the step; * stands for any characters", gives_way=1),
    Column("visitors", "visitors", "count", "persons who came so far, one step after the other"),
    Column("of_visitors", "of all", "rate", "of all visitors"),
    Column("of_step_before", "of those before", "rate", "of the visitors of the step before"),
]
PAGES = [
    Column("row", "row", "text", "page, others or total", shown=False),
    Column("page", "page", "text", "its address, without what follows ?"),
    Column("visits", "visits", "count", "web and transaction hits"),
    Column("visitors", "visitors", "count", "distinct persons; empty where pages are added up"),
    Column("share", "share", "rate", "of all visits"),
]
SOURCES = [
    Column("kind", "kind", "text", "delivery, campaign, referrer, site (from a page of it), direct or others"),
    Column("source", "source", "text", "delivery or campaign of the last click, else the host visits came from"),
    Column("key", "delivery key", "text", "64-bit key, in decimal, where it is a delivery", shown=False),
    Column("visits", "visits", "count", "web and transaction hits"),
    Column("share", "share", "rate", "of all visits"),
    Column("visitors", "visitors", "count", "distinct persons; empty where sources are added up"),
    Column("transactions", "transactions", "count", "transaction hits"),
    Column("buyers", "buyers", "count", "distinct persons with a transaction", gives_way=1),
    Column("conversion", "conversion", "rate", "buyers / visitors"),
]
SALES = [
    Column("kind", "kind", "text", "as in sources"),
    Column("source", "source", "text", "as in sources"),
    Column("currency", "currency", "text", "ISO 4217"),
    Column("transactions", "transactions", "count", "transaction hits in this currency"),
    Column("amount", "amount", "money", "their sum"),
    Column("articles", "articles", "count", "pieces"),
]
ATTRIBUTION = [
    Column("how", "key", "text", "named, other, unclicked or none", shown=False),
    Column("title", "visits", "text", "the same for people"),
    Column("visits", "count", "count", "web and transaction hits"),
    Column("transactions", "transactions", "count", "transaction hits"),
]
HOW = {
    "named": Note("due to the delivery that the visit names"),
    "other": Note("due to another delivery, clicked last"),
    "unclicked": Note("name a delivery, but nobody clicked in time"),
    "none": Note("due to no delivery"),
}
VISITED, BOUGHT, NO_PAGE = Note("visited"), Note("bought"), Note("(no page)")
