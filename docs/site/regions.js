// Tables and code that are wider than the window are scrolled with the keyboard, and have a name for screen readers.
addEventListener("load", () => {
    let heading = "";
    const named = (part, kind) => {
        const name = `${kind}: ${heading}`;
        const update = () => {
            const wide = part.scrollWidth > part.clientWidth;
            const attributes = { tabindex: "0", role: "region", "aria-label": name };
            for (const [key, value] of Object.entries(attributes)) wide ? part.setAttribute(key, value) : part.removeAttribute(key);
        };
        new ResizeObserver(update).observe(part);
    };
    for (const part of document.querySelectorAll("article :is(h1, h2, h3, .md-typeset__scrollwrap, pre > code)")) {
        if (part.matches("h1, h2, h3")) heading = part.textContent.replace("¶", "").trim();
        else named(part, part.matches("code") ? "Code" : "Table");
    }
});
