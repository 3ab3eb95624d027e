"""Payloads in the shapes the providers' own documentation shows, with values of our own. Provider -> list of items."""

from __future__ import annotations

from typing import Any

from tests.producers.api.providers.signing import METADATA

_AT = 1_789_999_990
_ISO = "2026-09-21T13:33:10.417Z"
_AGENT = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
_MAIL = "anna@mail.example"


def sendgrid() -> list[Any]:
    """Event Webhook Reference: custom arguments stand among the fields."""

    def item(number: int, event: str, **more: Any) -> dict[str, Any]:
        common = {"email": _MAIL, "timestamp": _AT + number, "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>"}
        ids = {"sg_event_id": f"ZXZlbnQt{number}", "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.0"}
        return {**common, "event": event, "category": ["spring"], **ids, **METADATA, **more}

    bounce = {"reason": "550 5.1.1 The email account that you tried to reach does not exist", "status": "5.1.1"}
    return [
        item(0, "processed"),
        item(1, "deferred", response="400 try again later", attempt="5"),
        item(2, "delivered", response="250 OK", sendtrail_flags="1"),
        item(3, "bounce", type="bounce", bounce_classification="Invalid Address", **bounce),
        item(4, "bounce", type="blocked", status="5.7.1", reason="554 5.7.1 blocked, low reputation of 192.0.2.1"),
        item(5, "bounce", type="bounce", status="", reason="", bounce_classification="Technical Failure"),
        item(6, "dropped", reason="Bounced Address"),
        item(7, "open", useragent=_AGENT, ip="198.51.100.3", sg_machine_open=True, sg_content_type="html"),
        item(8, "click", useragent=_AGENT, ip="198.51.100.3", url="https://shop.example/?a=1#top"),
        item(9, "spamreport"),
        item(10, "unsubscribe"),
        item(11, "group_unsubscribe", asm_group_id=10, ip="198.51.100.3", useragent=_AGENT),
        item(12, "group_resubscribe", asm_group_id=10),
        {name: value for name, value in item(13, "delivered").items() if name not in METADATA},
        {name: value for name, value in item(14, "delivered").items() if name != "timestamp"},
        "no event",
    ]


def mailgun() -> list[Any]:
    """Events and Webhooks of the user manual: `event-data`."""

    def item(number: int, event: str, **more: Any) -> dict[str, Any]:
        common = {"event": event, "timestamp": _AT + number + 0.861253, "id": f"G9Bn5sl1TC6nu79C8C0bwg-{number}"}
        about = {"recipient": _MAIL, "recipient-domain": "mail.example", "user-variables": METADATA, "tags": ["spring"]}
        headers = {"to": _MAIL, "message-id": "20260921133310.1.AB@mail.example", "subject": "Spring"}
        return {**common, **about, "message": {"headers": headers, "size": 111}, "log-level": "info", **more}

    device = {"client-type": "browser", "client-os": "OS X", "client-name": "Chrome", "device-type": "desktop"}
    gone = {"code": 550, "enhanced-code": "5.1.1", "message": "5.1.1 no such user here", "description": ""}
    full = {"code": 452, "enhanced-code": "4.2.2", "message": "4.2.2 The email account is over quota", "attempt-no": 1}
    kept_back = {"code": 605, "message": "", "description": "Not delivering to previously bounced address"}
    return [
        item(0, "accepted", method="HTTP"),
        item(1, "delivered", **{"delivery-status": {"code": 250, "message": "OK", "tls": True}}),
        item(2, "failed", severity="permanent", reason="bounce", **{"delivery-status": gone}),
        item(3, "failed", severity="temporary", reason="generic", **{"delivery-status": full}),
        item(4, "failed", severity="permanent", reason="suppress-bounce", **{"delivery-status": kept_back}),
        item(5, "opened", ip="198.51.100.3", **{"client-info": {**device, "user-agent": _AGENT, "bot": "apple"}}),
        item(
            6, "clicked", ip="198.51.100.3", url="https://shop.example/",
            **{"client-info": {**device, "user-agent": _AGENT, "bot": ""}},
        ),
        item(7, "unsubscribed", ip="198.51.100.3"),
        item(8, "complained"),
        item(9, "rejected", reject={"reason": "Sandbox subdomains are for test purposes only", "description": ""}),
        item(10, "stored"),
        {**item(11, "delivered"), "user-variables": {}},
    ]  # fmt: skip


def _ses_mail(**more: Any) -> dict[str, Any]:
    tags = {name: [value] for name, value in METADATA.items()}
    return {
        "timestamp": "2026-09-21T13:33:00.012Z", "source": "news@shop.example", "messageId": "EXAMPLE7c191be45-000000",
        "sourceArn": "arn:aws:ses:eu-west-1:123456789012:identity/shop.example", "sendingAccountId": "123456789012",
        "destination": [_MAIL], "headersTruncated": False, "headers": [{"name": "Subject", "value": "Spring"}],
        "commonHeaders": {"subject": "Spring", "to": [_MAIL]},
        "tags": {"ses:configuration-set": ["Spring"], **tags}, **more,
    }  # fmt: skip


def ses() -> list[Any]:
    """Examples of event data that Amazon SES publishes to Amazon SNS."""

    def item(event: str, part: str, **own: Any) -> dict[str, Any]:
        return {"eventType": event, "mail": _ses_mail(), part: own}

    def bounce(kind: str, subtype: str, *recipients: dict[str, str]) -> dict[str, Any]:
        return item(
            "Bounce", "bounce", bounceType=kind, bounceSubType=subtype, timestamp=_ISO, feedbackId="0100015",
            bouncedRecipients=list(recipients), reportingMTA="dsn; mta.example",
        )  # fmt: skip

    gone = {
        "emailAddress": _MAIL,
        "action": "failed",
        "status": "5.1.1",
        "diagnosticCode": "smtp; 550 5.1.1 user unknown",
    }
    other = {"emailAddress": "ben@other.example"}
    headers = [{"name": f"X-{name.title().replace('_', '-')}", "value": value} for name, value in METADATA.items()]
    notification = {
        "notificationType": "Delivery",
        "mail": {**_ses_mail(headers=headers), "tags": None},
        "delivery": {"timestamp": _ISO, "recipients": [_MAIL], "smtpResponse": "250 2.0.0 OK"},
    }
    topics = [{"topicName": "News", "subscriptionStatus": "OptOut"}]
    return [
        item("Send", "send"),
        item("Delivery", "delivery", timestamp=_ISO, recipients=[_MAIL], smtpResponse="250 OK"),
        notification,
        bounce("Permanent", "General", gone, other),
        bounce("Transient", "MailboxFull", {"emailAddress": _MAIL}),
        bounce("Undetermined", "Undetermined", {"emailAddress": _MAIL}),
        item("Complaint", "complaint", timestamp=_ISO, complaintFeedbackType="abuse", userAgent="Loop",
             complainedRecipients=[{"emailAddress": _MAIL}]),
        item("Complaint", "complaint", timestamp=_ISO, complaintFeedbackType="not-spam", complainedRecipients=[]),
        item("Reject", "reject", reason="Bad content"),
        item("Rendering Failure", "failure", errorMessage="Attribute 'name' is not present", templateName="spring"),
        item("DeliveryDelay", "deliveryDelay", timestamp=_ISO, delayType="TransientCommunicationFailure",
             expirationTime="2026-09-22T13:33:10.000Z", delayedRecipients=[{"emailAddress": _MAIL, "status": "4.4.1",
                                                                            "diagnosticCode": "smtp; 421 4.4.1 no"}]),
        item("Open", "open", timestamp=_ISO, ipAddress="198.51.100.3", userAgent=_AGENT),
        item("Click", "click", timestamp=_ISO, ipAddress="198.51.100.3", userAgent=_AGENT, link="https://shop.example/",
             linkTags={"samplekey0": ["samplevalue0"]}),
        item("Subscription", "subscription", timestamp=_ISO, contactList="News", source="UnsubscribeHeader",
             newTopicPreferences={"unsubscribeAll": True, "topicSubscriptionStatus": topics}),
        item("Subscription", "subscription", timestamp=_ISO, newTopicPreferences={"unsubscribeAll": False}),
        item("Teleport", "teleport"),
        {"eventType": "Delivery", "mail": _ses_mail(tags={}), "delivery": {"timestamp": _ISO}},
        "Successfully validated SNS topic for Amazon SES event publishing.",
    ]  # fmt: skip


def postmark() -> list[Any]:
    """Webhooks of the developer documentation, a record each."""

    def item(record: str, **more: Any) -> dict[str, Any]:
        common = {
            "RecordType": record,
            "MessageStream": "outbound",
            "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        }
        return {**common, "Metadata": METADATA, "Tag": "spring", "ServerID": 23, **more}

    def bounce(number: int, kind: str, code: int, details: str) -> dict[str, Any]:
        return item(
            "Bounce", ID=number, Type=kind, TypeCode=code, Name=kind, Description="", Details=details, Email=_MAIL,
            From="news@shop.example", BouncedAt="2026-09-21T13:33:10.9070259Z", Inactive=True, Subject="Spring",
        )  # fmt: skip

    reader = {
        "Recipient": _MAIL,
        "ReceivedAt": "2026-09-21T15:33:10.417+02:00",
        "UserAgent": _AGENT,
        "Platform": "Desktop",
    }
    place = {"Geo": {"CountryISOCode": "DE", "IP": "198.51.100.3"}, "Client": {"Name": "Chrome 35"}, "OS": {}}
    change = {"ChangedAt": _ISO, "Recipient": _MAIL, "Origin": "Recipient"}
    return [
        item("Delivery", Recipient=_MAIL, DeliveredAt=_ISO, Details="Test delivery webhook details"),
        bounce(1, "HardBounce", 1, "smtp;550 5.1.1 unknown user"),
        bounce(2, "SoftBounce", 4096, "smtp;552 5.2.2 mailbox full"),
        bounce(3, "Transient", 2, "smtp;421 4.7.0 try again later"),
        bounce(4, "AutoResponder", 32, "I am out of office"),
        bounce(5, "SMTPApiError", 100003, "Error generated by API"),
        item("SpamComplaint", ID=6, Type="SpamComplaint", TypeCode=512, Email=_MAIL, BouncedAt=_ISO),
        item("Open", FirstOpen=True, **reader, **place),
        item("Click", ClickLocation="HTML", OriginalLink="https://shop.example/", **reader, **place),
        item("SubscriptionChange", SuppressSending=True, SuppressionReason="ManualSuppression", **change),
        item("SubscriptionChange", SuppressSending=True, SuppressionReason="HardBounce", **change),
        item("Inbound"),
        {**item("Delivery", Recipient=_MAIL, DeliveredAt=_ISO), "Metadata": None},
    ]


def sparkpost() -> list[Any]:
    """Webhook events of the API reference, each in its envelope."""

    def item(group: str, kind: str, number: int, **more: Any) -> dict[str, Any]:
        common = {
            "type": kind,
            "timestamp": str(_AT + number),
            "event_id": f"9255698837045906{number:02}",
            "rcpt_to": _MAIL,
        }
        about = {
            "campaign_id": "Spring",
            "message_id": "000443ee14578172be22",
            "rcpt_meta": METADATA,
            "raw_rcpt_to": _MAIL,
        }
        return {"msys": {group: {**common, **about, **more}}}

    gone = {"bounce_class": "10", "error_code": "550", "raw_reason": "550 5.1.1 no such user"}
    reader = {"ip_address": "198.51.100.3", "user_agent": _AGENT}
    prefetched = {"user_agent_parsed": {"agent_family": "Email Proxy", "is_prefetched": True, "is_proxy": True}}
    link = {"target_link_url": "https://shop.example/", "target_link_name": "shop"}
    return [
        {"msys": {}},
        item("message_event", "injection", 0),
        item("message_event", "delivery", 1, ip_address="192.0.2.7"),
        item("message_event", "delay", 2, bounce_class="22", error_code="452", raw_reason="452 4.2.2 over quota"),
        item("message_event", "bounce", 3, **gone),
        item("message_event", "out_of_band", 4, bounce_class="60", raw_reason="auto reply"),
        item("message_event", "bounce", 5, bounce_class="30", raw_reason="550 5.1.2 host not found"),
        item("message_event", "policy_rejection", 6, bounce_class="25", raw_reason="550 5.7.1 recipient suppressed"),
        item("message_event", "spam_complaint", 7, fbtype="abuse"),
        item("gen_event", "generation_rejection", 8, raw_reason="recipient address suppressed due to customer policy"),
        item("track_event", "initial_open", 9, **reader, **prefetched),
        item("track_event", "open", 10, **reader),
        item("track_event", "click", 11, **reader, **link),
        item("unsubscribe_event", "list_unsubscribe", 12, mailfrom="x@y.example"),
        item("unsubscribe_event", "link_unsubscribe", 13, **reader),
        item("relay_event", "relay_delivery", 14),
        {"msys": {"message_event": {"type": "delivery", "timestamp": "1", "event_id": "1"}}},
        5,
    ]  # fmt: skip


def kumomta() -> list[Any]:
    """Log records of the reference manual."""

    def item(kind: str, number: int, **more: Any) -> dict[str, Any]:
        headers = {f"X-{name.title().replace('_', '-')}": value for name, value in METADATA.items()}
        common = {
            "type": kind,
            "id": "1d98076abbbc11ed940250ebf67f93bd",
            "sender": "b@shop.example",
            "recipient": _MAIL,
        }
        queue = {"queue": "spring:shop@mail.example", "site": "mx->mail.example", "size": 1047, "num_attempts": number}
        times = {"timestamp": _AT + number, "created": _AT, "bounce_classification": "Uncategorized"}
        return {**common, **queue, **times, "headers": headers, "meta": {}, "feedback_report": None, **more}

    def response(code: int, enhanced: tuple[int, int, int] | None, content: str) -> dict[str, Any]:
        parts = dict(zip(("class", "subject", "detail"), enhanced, strict=True)) if enhanced else None
        return {"response": {"code": code, "enhanced_code": parts, "content": content, "command": "."}}

    original = "\n".join(f"X-{name.title().replace('_', '-')}: {value}" for name, value in METADATA.items())
    report = {"feedback_type": "abuse", "version": 1, "original_message": f"Subject: Spring\n{original}\n\nHello"}
    return [
        item("Reception", 0),
        item("Delivery", 1, event_time="2026-09-21T13:33:10.417Z", **response(250, (2, 0, 0), "OK ids=8a5475ccbbc6")),
        item("TransientFailure", 2, **response(451, (4, 7, 1), "greylisted, try again later")),
        item("Bounce", 3, **response(550, (5, 1, 1), "no such user"), bounce_classification="InvalidRecipient"),
        item("Bounce", 4, **response(554, None, "rejected"), bounce_classification="SpamBlock"),
        item("Expiration", 5, **response(551, (5, 4, 7), "KumoMTA internal: delivery time >= 7 days")),
        item("OOB", 6, recipient=[_MAIL], **response(552, (5, 2, 2), "mailbox full")),
        item("AdminBounce", 7, **response(551, (5, 7, 1), "KumoMTA internal: stopped by an administrator")),
        item("Feedback", 8, headers={}, feedback_report=report),
        item("Feedback", 9, feedback_report={"feedback_type": "not-spam"}),
        item("Rejection", 10),
        {**item("Delivery", 11), "headers": {}},
    ]
