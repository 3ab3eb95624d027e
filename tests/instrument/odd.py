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
    "<!--[if gte mso 9]><v:roundrect href='https://e.example/16' arcsize='8%'><w:anchorlock/><center>Buy</center>"
    "</v:roundrect><![endif]-->", "<v:rect href=https://e.example/17 />", "</v:rect>", '<!--[IF mso]>', "<![endif]-->",
    "<svg><![CDATA[<a href='https://e.example/18'>]]></svg>", '<a href="https://e.example/19">https://e.example/19</a>',
    '<a HREF="https://e.example/20" hReF="tel:1">', "<BASE HREF='//b.example/x/'>",
    '<a href="https&#58;//e.example/21">',
    "<a\r\nhref='https://e.example/22?\r\n a=1'>", "<body>", "<BODY class=x>", "<html>", "<head>", "</head>",
    "<a href='https://e.example/p/{{id}}?q={{ q }}'>", '<a href="https://{{id}}.example/">',
    '<a href="{{id}}">', "{{id}}",
    "<a href=https://e.example/{{q}}>", "{{", "}}", '<a href="https://e.example/{{#q}}">', "<map name='{{q}}'>",
]  # fmt: skip

documents = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=24).map("".join)
