"""The sender's library: a message in, the same message with tracked links out.

    template = compile(html=…, text=…, delivery="spring", keyring=keyring.load(path), base_url="https://t.example.com")
    rendered = template.render(message=1, recipient="anna@example.com", values={"name": "Anna"})

`policy=Policy(…)` or `load_policy(path)` say which links are tracked and what is added. Outside the links, the pixel
and the stripped `data-st-…` hints, not a character is changed.
"""

from sendtrail.instrument.found import Notice
from sendtrail.instrument.policy import Policy, UrlRule
from sendtrail.instrument.policy_file import load_policy, remember
from sendtrail.instrument.providers import headers_for
from sendtrail.instrument.template import Rendered, Template, compile

__all__ = ["Notice", "Policy", "Rendered", "Template", "UrlRule", "compile", "headers_for", "load_policy", "remember"]
