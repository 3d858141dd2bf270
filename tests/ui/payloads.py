"""Names nobody is called: markup, scripts, templates and markdown that must reach the screen as text alone."""

MARK = "top.PWN=(top.PWN||0)+1"
_TAGS = [
    "<script>JS</script>", "<ScRiPt>JS</sCrIpT>", "<script >JS</script >", "<script/x>JS</script>",
    "<script\n>JS</script>", "</script><script>JS</script>", "<<script>JS//<</script>",
    "<img src=x onerror=JS>", "<img src=x onerror='JS'>", '<img src=x onerror="JS">', "<img/src=x/onerror=JS>",
    "<img src onerror=JS>", "<IMG SRC=x OnErRoR=JS>", "<img src=`x` onerror=JS>", "<image src=x onerror=JS>",
    "<svg onload=JS>", "<svg/onload=JS>", "<svg><script>JS</script></svg>",
    "<svg><animate onbegin=JS attributeName=x dur=1s>", "<svg><set onbegin=JS attributeName=x>",
    "<svg><a xlink:href=javascript:JS><text x=20 y=20>x</text></a></svg>",
    "<body onload=JS>", "<body onpageshow=JS>", "<iframe src=javascript:JS></iframe>",
    "<iframe srcdoc='<script>JS</script>'></iframe>", "<iframe onload=JS></iframe>",
    "<object data=javascript:JS></object>", "<embed src=javascript:JS>", "<math><mtext><script>JS</script></mtext>",
    "<video><source onerror=JS></video>", "<video src=x onerror=JS></video>", "<audio src=x onerror=JS></audio>",
    "<details open ontoggle=JS>x</details>", "<input autofocus onfocus=JS>", "<select autofocus onfocus=JS>",
    "<textarea autofocus onfocus=JS></textarea>", "<marquee onstart=JS>x</marquee>", "<style onload=JS></style>",
    "<link rel=stylesheet href=x onerror=JS>", "<meta http-equiv=refresh content='0;url=javascript:JS'>",
    "<form><button formaction=javascript:JS>x</button></form>", "<a href=javascript:JS>x</a>",
    "<a href='java\tscript:JS'>x</a>", "<div style=animation-name:x onanimationstart=JS>", "<p onmouseover=JS>x</p>",
    "<b onpointerenter=JS>x</b>", "<template><img src=x onerror=JS></template><img src=x onerror=JS>",
    "<noscript><p title='</noscript><img src=x onerror=JS>'>", "<title><img src=x onerror=JS></title>",
    "<xmp><img src=x onerror=JS></xmp>", "<textarea></textarea><img src=x onerror=JS>", "<base href=//elsewhere/>",
    "<!--><img src=x onerror=JS>-->", "<![CDATA[<img src=x onerror=JS>]]>", "<?xml ?><script>JS</script>",
    "<table background=javascript:JS>", "<dialog open onclose=JS>x", "<img srcset='x 1x' onerror=JS>",
    "<custom onfocus=JS tabindex=0 autofocus>x</custom>", "<isindex onfocus=JS autofocus>",
]  # fmt: skip
_BREAKING = [
    "'>TAG", '">TAG', "`>TAG", "-->TAG", "]]>TAG", "</title>TAG", "</textarea>TAG", "</style>TAG",
    "</option></select>TAG", "<br>TAG", "%3ETAG", "\\\">TAG", "\\'>TAG", "{{TAG}}",
]  # fmt: skip
_SCRIPTS = [
    "${JS}", "`${JS}`", "`;JS;`", "';JS;'", '";JS;"', "\\';JS;//", '\\";JS;//', "`+(JS)+`",
    "'+(JS)+'", '"+(JS)+"', "{{{constructor.constructor('JS')()}}}", "{{7*7}}", "{% raw %}JS", "#{JS}",
    "\\u0060${JS}\\u0060", "\u2028JS\u2029", "*/JS/*", "//\nJS", "'];JS;['", "});JS;({", "\\x3cscript\\x3eJS",
    "javascript:JS", "data:text/html,<script>JS</script>", "&lt;img src=x onerror=JS&gt;",
    "&#60;img src=x onerror=JS&#62;",
    "&#x3c;script&#x3e;JS&#x3c;/script&#x3e;", "%3Cscript%3EJS%3C/script%3E", "\\74script\\76JS",
]  # fmt: skip
_MARKDOWN = [
    "[x](javascript:JS)", "![x](x'onerror='JS)", "[x]: javascript:JS", "<javascript:JS>", "**<img src=x onerror=JS>**",
    "```html\n<script>JS</script>\n```", "# <svg onload=JS>", "$\\href{javascript:JS}{x}$",
    ":red[<img src=x onerror=JS>]",
    ":material/<img src=x onerror=JS>:", "| <img src=x onerror=JS> |\n|---|", "~~<script>JS</script>~~",
]  # fmt: skip
_ONE = "<img src=x onerror=JS>"
PAYLOADS = [
    text.replace("JS", MARK)
    for text in [*_TAGS, *(one.replace("TAG", _ONE) for one in _BREAKING), *_SCRIPTS, *_MARKDOWN]
]
"""At least a hundred; each would add one to ``top.PWN`` if anything in it ran."""
