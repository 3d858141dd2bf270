// Streamlit's own few words in the language the page speaks; the page says which in [data-tacha-language].
(function () {
    "use strict";
    var pairs = /*PAIRS*/[];
    var patterns = pairs.map(function (pair) {
        return pair.map(function (text) {
            var parts = text.split(/\{\w+\}/).map(function (part) { return part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"); });
            return new RegExp("^(\\s*)" + parts.join("(.+?)") + "(\\s*)$");
        });
    });
    var NAMED = ["aria-label", "title", "placeholder"];
    var DATA = "[data-testid=stMarkdownContainer], [data-testid=stText], textarea, input, script, style";
    var OURS = "[data-testid=stFileUploader], [data-testid=stTooltipContent], [role=dialog]";

    function told(text, to) {
        for (var n = 0; n < pairs.length; n++) {
            var found = patterns[n][1 - to].exec(text);
            if (found) {
                var filled = 2;
                return found[1] + pairs[n][to].replace(/\{\w+\}/, function () { return found[filled++]; }) +
                    found[found.length - 1];
            }
        }
        return text;
    }

    function speak() {
        waiting = false;
        var said = document.querySelector("[data-tacha-language]");
        if (!said) { return; }
        var to = said.getAttribute("data-tacha-language") === "zh" ? 0 : 1;
        var lang = to ? "en" : "zh-CN";
        if (document.documentElement.lang !== lang) { document.documentElement.lang = lang; }
        var walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), node;
        while ((node = walker.nextNode())) {
            var text = node.nodeValue, where = node.parentElement;
            if (text.length > 200 || !text.trim() || (where.closest(DATA) && !where.closest(OURS))) { continue; }
            var other = told(text, to);
            if (other !== text) { node.nodeValue = other; }
        }
        NAMED.forEach(function (name) {
            document.querySelectorAll("[" + name + "]").forEach(function (one) {
                var held = one.getAttribute(name), next = told(held, to);
                if (next !== held) { one.setAttribute(name, next); }
            });
        });
    }

    var waiting = false;
    function soon() {
        if (!waiting) { waiting = true; window.setTimeout(speak, 80); }
    }
    new MutationObserver(soon).observe(document.documentElement, {
        childList: true, subtree: true, characterData: true, attributes: true,
        attributeFilter: NAMED.concat("data-tacha-language")
    });
    soon();
})();
