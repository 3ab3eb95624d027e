"""Odd HTML as mail has it, for property tests: pieces that break naive parsers, in any order."""

from __future__ import annotations

from hypothesis import strategies as st

PIECES = [
    '<a href="https://e.example/1">', "<A HREF='https://e.example/2?a=1&amp;b=2'>", "<a href=https://e.example/3>",
    "<a href=https://e.example/4/>", '<a\nhref = "https://e.example/\n5"\nclass=x>', "</a>", "</A >",
    '<a href="https://e.example/6" href="https://e.example/7">', '<a title="a > b" href="https://e.example/8">',
    '<a data-x=1 href="https://e.example/9?x=%20&copy=1&copy;#f">', '<a href="  https://e.example/10\t">',
    '<a name="n">', "<a href>", "<a href=''>", '<a href="#top">', '<a href="mailto:x@e.example">', "<a href=tel:1>",
    '<a href="//e.example/11">', '<a href="rel/12">', '<area shape=rect href="https://e.example/13" alt=\'Area "x"\'>',
    '<img src=x alt="Pic">', "<img>", '<base href="https://base.example/dir/">', "<!--", "-->", "--!>", "<!-->",
    "<!-- <a href='https://e.example/14'> -->", '<!--[if mso]><a href="https://e.example/15"><![endif]-->',
    "<!--[if !mso]><!-->", "<!--<![endif]-->", "<![if !mso]>", "<![endif]>", "<script>", "</script>", "<style>",
    "</style>", "<title>", "</title>", "<textarea>", "</TEXTAREA>", "<![CDATA[", "]]>", "<svg>", "</svg>", "<svg/>",
    "</body>", "</BODY\n>", "</html>", "<!DOCTYPE html>", "<?xml v?>", "</>", "</ x>", "<", ">", '"', "'", "=", "/",
    "&", "&amp;", "&#x41;", "&#99999999999999;", " ", "\n", "\r\n", "\t", "\x00", "\ufeff", "é", "日本", "text",
    "<p>", "<p", "<table><tr><td>", "<br/>", "<1>", "<a", "href", "<a href=", '<a href="', "<é>", "</é>",
]  # fmt: skip

documents = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=24).map("".join)
