#include "picture/page.h"

#include "picture/chart.h"

static const char rules[] =
    ":root{color-scheme:light dark;--ink:#1b1f24;--soft:#5b6570;--paper:#f6f7f8;--card:#fff;--edge:#e1e5e9;--hue:#0072b2}"
    "@media screen and "
    "(prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#a3adb8;--paper:#0f1215;--card:#15181c;--edge:#2b3138;"
    "--hue:#56b4e9}}"
    "*{box-sizing:border-box}html{-webkit-text-size-adjust:100%}"
    "body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,'Segoe UI',Roboto,'Helvetica "
    "Neue',Arial,sans-serif}"
    "main{max-width:1440px;margin:0 auto;padding:20px 24px 48px}"
    "h1{font-size:22px;line-height:1.25;margin:0;overflow-wrap:anywhere}h2{font-size:17px;margin:32px 0 "
    "8px}h3{font-size:14px;line-height:1.35;margin:0 0 6px;text-wrap:balance}"
    "p{margin:0 0 "
    "8px;max-width:85ch}.soft,small{color:var(--soft)}.soft{font-size:14px}small{font-size:13px;line-height:1.4;display:block}"
    "a{color:var(--hue)}code{font-size:13px}"
    ".card{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:14px "
    "16px;min-width:0;overflow-wrap:anywhere}"
    ".row,.tiles{display:grid;gap:16px}.row{grid-template-columns:repeat(auto-fill,minmax(min(100%,400px),1fr))}"
    ".tiles{grid-template-columns:repeat(auto-fill,minmax(min(100%,300px),1fr))}"
    ".figures{display:flex;flex-wrap:wrap;gap:4px 28px;margin:10px 0 14px;padding:0;list-style:none}"
    ".figures b{display:block;font-size:22px;line-height:1.2;font-weight:600}.figures span{color:var(--soft);font-size:13px}"
    ".answer{font-weight:600;margin:0 0 2px}nav{font-size:13px;margin:4px 0 8px;display:flex;flex-wrap:wrap;gap:2px 14px}"
    "svg.chart{display:block;width:100%;max-width:560px;height:auto}"
    ".scroll{overflow-x:auto;background:linear-gradient(270deg,var(--card) 50%,transparent) right/48px 100% no-repeat local,"
    "linear-gradient(270deg,var(--edge),transparent) right/24px 100% no-repeat scroll,var(--card)}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:13px}"
    "th,td{text-align:right;padding:3px 7px;border-bottom:1px solid var(--edge);white-space:nowrap}"
    "th{color:var(--soft);font-weight:500}th:first-child,td:first-child{text-align:left;padding-left:0}th:last-child,td:last-child{"
    "padding-right:0}"
    "td:first-child{white-space:normal;overflow-wrap:break-word;min-width:10ch}"
    "pre{background:var(--card);border:1px solid var(--edge);border-radius:8px;padding:10px 12px;font-size:13px;margin:0 0 8px;"
    "white-space:pre-wrap;overflow-wrap:anywhere}pre span{white-space:nowrap}"
    ":focus-visible{outline:2px solid var(--hue);outline-offset:2px}"
    "@media screen and (max-width:863px){#converged{order:-1}}" /* in one column both answers are seen without scrolling */
    "@media (max-width:520px){main{padding:14px 12px 32px}.card{padding:12px}table{font-size:12px}th,td{padding:3px 4px}}"
    "@media print{body{background:#fff;font-size:10pt}main{max-width:none;padding:0}nav{display:none}"
    ".row{grid-template-columns:1fr 1fr}.row>:has(table){grid-column:1/-1}.tiles{grid-template-columns:1fr 1fr 1fr}"
    ".row,.tiles{gap:10px}h2{margin-top:20px}h2,h2+p,h2~.figures{break-after:avoid}h2+p{break-before:avoid}"
    ".card{break-inside:avoid;border-color:#ccc}.scroll{overflow:visible;background:none}}";

void page_begin(markup *to, const char *title, int reload) {
    markup_add(to, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><link rel=\"icon\" href=\"data:,\">\n");
    if (reload > 0) markup_add(to, "<meta http-equiv=\"refresh\" content=\"%d\">\n", reload);
    markup_add(to, "<title>");
    markup_escaped(to, title, 0);
    markup_add(to, "</title>\n<style>%s", rules);
    picture_style(to);
    markup_add(to, "</style></head>\n<body><main>\n");
}

void page_end(markup *to) { markup_add(to, "</main></body></html>\n"); }

void page_section(markup *to, const char *id, const char *heading) { markup_add(to, "<h2 id=\"%s\">%s</h2>\n", id, heading); }

void page_scroll_begin(markup *to, const char *name, const char *classes, const char *style) {
    markup_add(to, "<div class=\"scroll %s\" style=\"%s\" tabindex=\"0\" role=\"region\" aria-label=\"", classes, style);
    markup_escaped(to, name, 0);
    markup_add(to, "\">");
}

void page_tile_begin(markup *to, const char *name) {
    markup_add(to, "<div class=\"card\"><h3>");
    markup_escaped(to, name, 0);
    markup_add(to, "</h3>");
}
