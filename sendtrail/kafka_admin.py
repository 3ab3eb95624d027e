"""Creates and checks the topics of `TOPICS` on a broker; reads topic ids."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, TopicAlreadyExistsError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from sendtrail.errors import TopicsError
from sendtrail.settings import KafkaSettings, TrackingSettings
from sendtrail.topics import DAY_MS, EVENTS, RETENTION_MARGIN_DAYS, TOPICS, Topic

_REQUEST_TIMEOUT_MS = 10_000
_UNKNOWN_TOPIC = 3

#: What must be as the table says; the rest is an operator's to change.
_CHECKED = ("cleanup.policy", "max.message.bytes", "message.timestamp.type")

Outcome = Literal["created", "present", "changed"]


class TopicState(NamedTuple):
    """What `ensure_topics` found or did for one topic, by its physical name."""

    name: str
    outcome: Outcome
    partitions: int
    topic_id: str


def physical_name(settings: KafkaSettings, topic: Topic) -> str:
    """The name a topic has on this broker."""
    return settings.topic_prefix + topic.name


def partitions_of(settings: KafkaSettings, topic: Topic) -> int:
    """How many partitions a topic is created with."""
    return settings.partitions if topic.partitions is None else topic.partitions


def admin_client(bootstrap: str) -> KafkaAdminClient:
    """An admin client; close it. Raises KafkaError when no broker answers in ten seconds."""
    return KafkaAdminClient(
        bootstrap_servers=bootstrap.split(","),
        bootstrap_timeout_ms=_REQUEST_TIMEOUT_MS,
        request_timeout_ms=_REQUEST_TIMEOUT_MS,
    )


def wait_for_kafka(
    bootstrap: str, on_wait: Callable[[str], None], give_up: Callable[[], bool] = lambda: False, limit_s: float = 1e9
) -> bool:
    """Wait until a broker answers, saying so by `on_wait` now and then. False if `give_up` or the limit ended it."""
    retrying = Retrying(
        retry=retry_if_exception_type(KafkaError),
        wait=wait_exponential(0.2, max=5),
        stop=lambda state: give_up() or stop_after_delay(limit_s)(state),
        before_sleep=lambda state: _say(state, on_wait, bootstrap),
        retry_error_callback=lambda state: False,
    )
    return bool(retrying(_answers, bootstrap))


def _answers(bootstrap: str) -> bool:
    client = admin_client(bootstrap)
    try:
        client.list_topics()
    finally:
        client.close()
    return True


def _say(state: Any, on_wait: Callable[[str], None], bootstrap: str) -> None:
    if state.attempt_number in (1, 5) or state.attempt_number % 12 == 0:
        on_wait(f"no Kafka broker answers at {bootstrap}; waiting")


def topic_id(bootstrap: str, name: str) -> str:
    """The id the broker gave a topic at its creation, as UUID text: a topic made anew has another.

    Raises TopicsError where there is no such topic, KafkaError where no broker answers.
    """
    client = admin_client(bootstrap)
    try:
        described = client.describe_topics([name])[0]
    finally:
        client.close()
    if described["error_code"] != 0:
        raise TopicsError(f"topic {name} does not exist: create the topics with `sendtrail topics`")
    return str(described["topic_id"])


def ensure_topics(settings: KafkaSettings, tracking: TrackingSettings, dry_run: bool = False) -> list[TopicState]:
    """Create the topics that are missing, bring settings of those there up to the table, check the rest.

    Raises TopicsError for a difference that would lose or misplace data: a partition count that is not the
    configured one, or retention below the id window and its margin.
    """
    client = admin_client(settings.bootstrap)
    try:
        return [_ensure(client, settings, tracking, topic, dry_run) for topic in TOPICS]
    finally:
        client.close()


def _ensure(
    client: KafkaAdminClient, settings: KafkaSettings, tracking: TrackingSettings, topic: Topic, dry_run: bool
) -> TopicState:
    name, partitions = physical_name(settings, topic), partitions_of(settings, topic)
    described = client.describe_topics([name])[0]
    if described["error_code"] == _UNKNOWN_TOPIC:
        if dry_run:
            return TopicState(name, "created", partitions, "")
        return _create(client, settings, topic, tracking.id_window_days)
    found = len(described["partitions"])
    if found != partitions:
        raise TopicsError(
            f"topic {name} has {found} partitions, kafka.partitions says {partitions}; the count is fixed at creation: "
            f"set kafka.partitions = {found}"
        )
    changed = _align(client, name, topic, tracking, dry_run)
    return TopicState(name, "changed" if changed else "present", found, str(described["topic_id"]))


def _create(client: KafkaAdminClient, settings: KafkaSettings, topic: Topic, id_window_days: int) -> TopicState:
    name = physical_name(settings, topic)
    wanted = {
        name: {
            "num_partitions": partitions_of(settings, topic),
            "replication_factor": settings.replication,
            "configs": topic.settings(id_window_days),
        }
    }
    try:
        client.create_topics(wanted, wait_for_metadata=True)
    except TopicAlreadyExistsError:
        client.wait_for_topics([name])
    described = client.describe_topics([name])[0]
    return TopicState(name, "created", len(described["partitions"]), str(described["topic_id"]))


def _align(client: KafkaAdminClient, name: str, topic: Topic, tracking: TrackingSettings, dry_run: bool) -> bool:
    resource = ConfigResource(ConfigResourceType.TOPIC, name)
    described = client.describe_configs([resource], config_filter="all")["topic"][name]
    found = {key: entry["value"] for key, entry in described.items()}
    _check_retention(name, topic, tracking, int(found["retention.ms"]))
    differing = {key: value for key, value in topic.settings().items() if key in _CHECKED and found.get(key) != value}
    if differing and not dry_run:
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, differing)])
    return bool(differing)


def _check_retention(name: str, topic: Topic, tracking: TrackingSettings, retention_ms: int) -> None:
    if topic.policy == "compact" or topic.retention_days is None or topic.retention_days != EVENTS.retention_days:
        return
    days = tracking.id_window_days + RETENTION_MARGIN_DAYS
    if 0 <= retention_ms < days * DAY_MS:
        raise TopicsError(
            f"topic {name} keeps records {retention_ms / DAY_MS:g} days; tracking.id_window_days = "
            f"{tracking.id_window_days} needs at least {days}: raise retention.ms of the topic or shorten the window"
        )
