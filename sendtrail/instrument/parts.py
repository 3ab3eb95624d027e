"""HTML and text -> parts of a template: links found, slots made, pixel and honeypot put in their places."""

from sendtrail.events import FLAG_HONEYPOT
from sendtrail.instrument import html_part, text_part
from sendtrail.instrument.body import fills_of_html, fills_of_text
from sendtrail.instrument.found import Edit, Notice
from sendtrail.instrument.pieces import HeadName, Part, Placed, Rendering, Slot
from sendtrail.instrument.placeholders import NoValues, pattern_of
from sendtrail.instrument.policy import Policy
from sendtrail.instrument.slots import SlotMaker
from sendtrail.links import LETTERS, TEXT_POSITION, Unsigned, head_bytes, identity_bytes
from sendtrail.provider_metadata import MessageIdentity

#: Gmail shows no more of a part than this, in bytes, and so no pixel behind it.
CLIPPED_BYTES = 102 * 1024
#: From here on the pixel goes to the start: values, and what is added on the way, may yet lengthen the part.
NEAR_BYTES = 98 * 1024

_PIXEL = ('<img src="', '" width="1" height="1" border="0" alt="" style="width:1px;height:1px;border:0">')
_HONEYPOT = ('<a href="', '" style="display:none;mso-hide:all" tabindex="-1" aria-hidden="true"></a>')


def make_text(source: str, maker: SlotMaker, policy: Policy, base: str) -> Part:
    """The text part."""
    placeholder = pattern_of(policy.placeholders)
    placed = maker.place(text_part.find(source, placeholder), TEXT_POSITION)
    if placeholder is not None and policy.fill_body:
        placed += fills_of_text(source, placeholder, placed)
    return Part(source, placed, base, in_html=False)


def make_html(source: str, maker: SlotMaker, policy: Policy, base: str) -> Part:
    """The HTML part."""
    found = html_part.find(source)
    placed = maker.place(found, 0)
    placeholder = pattern_of(policy.placeholders)
    if placeholder is not None and policy.fill_body:
        placed += fills_of_html(source, placeholder, placed, maker.notices)
    if policy.honeypot:
        placed.append(Placed(Edit(found.pixel_at, found.pixel_at, *_HONEYPOT), maker.honeypot()))
    part = Part(source, placed, base, in_html=True)
    if any(maker.is_pixel(image) for image in found.images):
        maker.notices.append(Notice("already_tracked", "the HTML has a tracking pixel, no second one is added"))
        return part
    if not policy.pixel:
        return part
    at = found.pixel_at
    if policy.pixel_place == "start" or (policy.pixel_place == "auto" and _near_clipping(part, maker)):
        at = found.start_at
    return Part(source, [*placed, Placed(Edit(at, at, *_PIXEL), Slot("open"))], base, in_html=True)


def heads(key_id: int, identity: MessageIdentity, further_flags: int = 0) -> dict[HeadName, bytes]:
    """What each kind of token of a message starts with."""
    keys = identity_bytes(identity.delivery, identity.message, identity.recipient)
    flags, known = identity.flags | further_flags, identity.recipient is not None
    made: dict[HeadName, bytes] = {kind: head_bytes(key_id, kind, flags, known) + keys for kind in LETTERS}
    made["honeypot"] = head_bytes(key_id, "click", flags | FLAG_HONEYPOT, known) + keys
    return made


def as_template(identity: MessageIdentity) -> Rendering:
    """Renders a part with unsigned links and placeholders as the template writes them."""
    return Rendering(Unsigned(), heads(Unsigned.key_id, identity), NoValues())


def _near_clipping(part: Part, maker: SlotMaker) -> bool:
    """Whether Gmail would cut the part off before a pixel at its end, or nearly."""
    size = len(part.tracked.join(as_template(MessageIdentity(0, 0, 0))).encode("utf-8", "replace"))
    if size < NEAR_BYTES:
        return False
    maker.notices.append(
        Notice("clipped", f"the HTML has {size:,} bytes, Gmail shows {CLIPPED_BYTES:,}: the pixel is at its start")
    )
    return True
