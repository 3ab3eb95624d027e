"""Answers of SMTP, ours and the next hop's (RFC 5321, 4.2; RFC 3463)."""

from typing import Literal, NamedTuple

Outcome = Literal["accepted", "refused", "deferred", "unknown"]


class Answer(NamedTuple):
    """A code and a text, of one or more lines."""

    code: int
    text: str

    def wire(self) -> str:
        """As it is sent, without the last line break."""
        lines = self.text.split("\n")
        return "\r\n".join(
            f"{self.code}{' ' if number == len(lines) else '-'}{line}" for number, line in enumerate(lines, 1)
        )


class Passed(NamedTuple):
    """What became of a mail at the next hop. `unknown`: all of it was sent and no answer came, so it may be there."""

    outcome: Outcome
    answer: Answer


NOT_NOW = Answer(451, "4.3.0 Sendtrail can't take this mail now, try again")
NO_ROOM = Answer(452, "4.3.1 Sendtrail's spool can't be written or is full, try again")
IN_PROGRESS = Answer(450, "4.2.0 this mail is being passed on at this moment, try again")
