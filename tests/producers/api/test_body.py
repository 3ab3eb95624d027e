"""Refused requests whose bodies are still on their way."""

import http.client

import pytest

from tests.producers.api.running import ApiProcess

JSON = {"Content-Type": "application/json"}
TEN_MIB = 10 * 1024 * 1024


@pytest.mark.parametrize(("headers", "status"), [(JSON, 413), ({"Content-Type": "text/plain"}, 415)])
def test_who_sends_all_before_it_reads_gets_the_answer_too(
    api: ApiProcess, headers: dict[str, str], status: int
) -> None:
    # Python's own http.client gives up at the first write that fails.
    connection = http.client.HTTPConnection(api.client.base_url.host, api.client.base_url.port or 0, timeout=30)
    connection.request("POST", "/v1/events", b" " * (3 * TEN_MIB), headers)
    assert connection.getresponse().status == status
    connection.close()
