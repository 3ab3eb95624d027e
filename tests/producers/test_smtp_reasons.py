"""Answers of mail servers whose code alone would mislead."""

import pytest

from producers.smtp_reasons import reason_of


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found by SMTP address lookup", "5.1.10", "unknown_user"),
        ("556 5.1.10 dest.example has a null MX", "5.1.10", "invalid_domain"),
        ("550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", "", "unknown_user"),
        ("550 5.4.1 no answer from host", "", "unreachable"),
        ("450 4.4.1 Recipient address rejected: Access denied", "", "other"),
    ],
)
def test_reason_of_an_answer(answer: str, status: str, reason: str) -> None:
    assert reason_of(answer, status) == reason
