#include "pipeline/batch/review_page.h"

#include <map>
#include <nlohmann/json.hpp>

#include "pipeline/outputs/outputs.h"

namespace retromass::batch {
namespace {

using nlohmann::ordered_json;
using outputs::html;

constexpr const char* kHead = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Review</title><style>
:root{color-scheme:light dark;--line:#8886;--mark:#1f6fb2}
body{font:15px/1.45 system-ui,sans-serif;max-width:1200px;margin:0 auto;padding:0 1rem 6rem}
.banner{background:#efe13a;color:#000;font-weight:700;text-align:center;padding:.4rem;margin:0 -1rem}
article{border:2px solid var(--line);border-radius:6px;padding:.6rem 1rem;margin:1rem 0;scroll-margin-top:1rem}
article.current{border-color:var(--mark)}article.decided{opacity:.6}article.current.decided{opacity:1}
h2{margin:.2rem 0;font-size:1.1rem}h2 output{float:right}
.why{margin:.3rem 0;padding-left:1.2rem}.sheet{display:flex;flex-wrap:wrap;gap:.5rem}.sheet img{width:340px;max-width:100%;height:auto;background:#000}
table{border-collapse:collapse;margin:.4rem 0}th,td{text-align:left;padding:.15rem .6rem;border-bottom:1px solid var(--line)}
.number{text-align:right;font-variant-numeric:tabular-nums}
.bar{position:fixed;left:0;right:0;bottom:0;background:Canvas;border-top:2px solid var(--line);padding:.5rem 1rem;display:flex;gap:1rem;align-items:center;flex-wrap:wrap}
button{font:inherit}kbd{border:1px solid var(--line);border-radius:3px;padding:0 .3rem}
fieldset{border:1px solid var(--line);margin:.4rem 0}input.points{width:26rem;max-width:100%}
</style></head><body>
<p class="banner">UNREVIEWED - RESEARCH USE ONLY, not for clinical decisions without review</p>
<h1>Review</h1>
)";

// The page's only program: it fills the decisions, moves between cases by key, and saves what was decided as a file.
constexpr const char* kScript = R"(<script>
'use strict';
const decisions = JSON.parse(document.getElementById('decisions').textContent);
const cards = [...document.querySelectorAll('article')];
const bar = document.getElementById('progress');
const reader = document.getElementById('reader');
const words = {'accept': 'accepted', 'reject': 'rejected', 'needs-prompt': 'needs a prompt'};
const store = 'retromass-review-' + decisions.plan;
let current = -1, saved = true;
try {
  const kept = JSON.parse(localStorage.getItem(store));
  const of = {};
  for (const c of kept.cases) of[c.case + c.result] = c;
  decisions.cases = decisions.cases.map(c => of[c.case + c.result] || c);
  if (!decisions.reader) decisions.reader = kept.reader;
} catch (none) {}
reader.value = decisions.reader;
function show() {
  cards.forEach((card, i) => {
    const c = decisions.cases[i];
    card.classList.toggle('current', i === current);
    card.classList.toggle('decided', c.decision !== null);
    card.querySelector('output').value = c.decision ? words[c.decision] : c.opened ? 'seen' : '';
    card.querySelector('fieldset').hidden = c.decision !== 'needs-prompt';
  });
  const n = decisions.cases.filter(c => c.decision).length;
  bar.textContent = n + ' of ' + cards.length + ' decided' + (saved ? '' : ', not saved');
  try { localStorage.setItem(store, JSON.stringify(decisions)); } catch (none) {}
}
function go(to) {
  if (!cards.length) return;
  current = Math.max(0, Math.min(cards.length - 1, to));
  decisions.cases[current].opened = true;
  cards[current].scrollIntoView({block: 'start'});
  show();
}
function decide(what) {
  if (current < 0) return go(0);
  decisions.cases[current].decision = what;
  saved = false;
  if (what && what !== 'needs-prompt') go(current + 1); else show();
}
function save() {
  decisions.reader = reader.value.trim();
  if (!decisions.reader) { alert('Say who decided: the name of the reader.'); reader.focus(); return; }
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([JSON.stringify(decisions, null, 1) + '\n'], {type: 'application/json'}));
  link.download = 'decisions.json';
  link.click();
  saved = true;
  show();
}
const keys = {a: () => decide('accept'), r: () => decide('reject'), p: () => decide('needs-prompt'), u: () => decide(null), s: save,
  j: () => go(current + 1), ArrowDown: () => go(current + 1), k: () => go(current - 1), ArrowUp: () => go(current - 1)};
document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches('input, select')) {
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
});
for (const button of document.querySelectorAll('.bar button')) button.addEventListener('click', () => keys[button.dataset.key]());
reader.addEventListener('input', () => { decisions.reader = reader.value.trim(); show(); });
cards.forEach((card, i) => {
  card.addEventListener('click', event => { if (!event.target.closest('a, input, select') && i !== current) go(i); });
  const c = decisions.cases[i], field = name => card.querySelector('[name=' + name + ']');
  field('note').value = c.note;
  if (c.prompt) { field('points').value = c.prompt.points.join(', '); field('lesion').value = c.prompt.lesion; field('timepoint').value = c.prompt.timepoint; }
  card.addEventListener('input', () => {
    c.note = field('note').value;
    const points = field('points').value.trim() ? field('points').value.trim().split(/[\s,]+/).map(Number) : [];
    const good = [0, 3, 6, 12].includes(points.length) && points.every(Number.isFinite);
    field('points').setCustomValidity(good ? '' : '3, 6 or 12 numbers');
    field('points').reportValidity();
    c.prompt = good && points.length ? {lesion: field('lesion').value, timepoint: field('timepoint').value, points} : null;
    saved = false;
    show();
  });
});
addEventListener('beforeunload', event => { if (!saved) event.preventDefault(); });
show();
</script>
)";

const char* title_of(Rank rank)
{
    switch (rank) {
    case Rank::refusal: return "no result";
    case Rank::flag: return "flagged";
    case Rank::threshold: return "near a limit";
    case Rank::disagreement: return "criteria disagree";
    case Rank::random: return "random sample";
    }
    return "";
}

std::string options(const std::vector<std::string>& values)
{
    std::string out;
    for (const auto& value : values) out += "<option>" + html(value) + "</option>";
    return out;
}

std::string article(const ReviewCard& card)
{
    std::string out = "<article><h2>" + html(card.id) + " - " + title_of(card.rank) + " <output></output></h2>\n<ul class=\"why\">";
    for (const auto& reason : card.why) out += "<li>" + html(reason) + "</li>";
    out += "</ul>\n";
    if (!card.figures.empty()) {
        out += "<table><thead><tr><th>Time point</th><th>Lesion</th><th>Status</th><th>Long, mm</th><th>Short, mm</th><th>Craniocaudal, mm</th><th>Volume, ml</th><th>Category</th></tr></thead><tbody>\n";
        for (const auto& row : card.figures) {
            out += "<tr>";
            for (std::size_t i = 0; i < row.size(); ++i) out += (i > 2 && i < 7 ? "<td class=\"number\">" : "<td>") + html(row[i]) + "</td>";
            out += "</tr>\n";
        }
        out += "</tbody></table>\n";
    }
    out += "<div class=\"sheet\">";
    for (const auto& picture : card.pictures) out += "<img alt=\"" + html(picture.name) + "\" src=\"data:image/png;base64," + outputs::base64(picture.png) + "\">\n";
    out += "</div>\n";
    if (!card.report.empty()) out += "<p><a href=\"" + html(card.report) + "\">report</a>" + (card.synthetic ? ", SYNTHETIC data" : "") + "</p>\n";
    // A note is a text of the reader's, kept with the case: no names belong there.
    return out + "<label>Note <input name=\"note\" size=\"50\" maxlength=\"200\" placeholder=\"why; no patient names\"></label>\n<fieldset hidden><legend>New prompt (left empty, the case waits)</legend>"
                 "<select name=\"lesion\">" + options(card.lesions) + "</select> <select name=\"timepoint\">" + options(card.timepoints) +
           "</select> <input name=\"points\" class=\"points\" placeholder=\"point x,y,z or line x1,y1,z1,x2,y2,z2 in mm (LPS)\"></fieldset></article>\n";
}

std::string count(int n, const char* what) { return n ? ", " + std::to_string(n) + " " + what : std::string(); }

}  // namespace

std::string review_html(const ReviewPage& page)
{
    ordered_json decisions{{"schema", "retromass-batch-decisions/1"}, {"plan", page.plan_sha256}, {"reader", page.reader}, {"cases", ordered_json::array()}};
    std::map<Rank, int> of_rank;
    std::string articles;
    for (const auto& card : page.cards) {
        ++of_rank[card.rank];
        articles += article(card);
        decisions["cases"].push_back({{"case", card.id}, {"result", card.hash}, {"opened", false}, {"decision", nullptr}, {"note", ""}, {"prompt", nullptr}});
    }
    std::string summary = "<p><strong>" + std::to_string(page.cards.size()) + " cases to look at</strong>";
    for (const auto& [rank, n] : of_rank) summary += ", " + std::to_string(n) + " " + title_of(rank);
    const auto elsewhere = count(page.not_shown, "that nothing speaks against") + count(page.decided_before, "decided before") + count(page.not_run, "not run yet");
    if (page.later) summary += "; " + std::to_string(page.later) + " more, in less need: on the next page, made once these are decided";
    summary += (elsewhere.empty() ? "" : "; not on this page:" + elsewhere.substr(1)) + "</p>\n";
    for (const auto& protocol : page.protocols) summary += "<p>Protocol " + html(protocol) + "</p>\n";
    auto embedded = decisions.dump(1, ' ', true, ordered_json::error_handler_t::replace);
    for (std::size_t i = 0; (i = embedded.find('<', i)) != std::string::npos;) embedded.replace(i, 1, "\\u003c");  // no text ends the element it stands in
    return kHead + summary +
           "<p>Keys: <kbd>a</kbd> accept, <kbd>r</kbd> reject, <kbd>p</kbd> needs a prompt, <kbd>u</kbd> undo, <kbd>j</kbd> and <kbd>k</kbd> or arrows to move, <kbd>s</kbd> save. "
           "Then: <code>retromass batch resume PLAN --decisions decisions.json</code></p>\n" +
           articles +
           "<div class=\"bar\"><label>Reader <input id=\"reader\" size=\"16\"></label><button data-key=\"a\">Accept (a)</button><button data-key=\"r\">Reject (r)</button><button data-key=\"p\">Needs prompt (p)</button>"
           "<button data-key=\"u\">Undo (u)</button><button data-key=\"k\">Back (k)</button><button data-key=\"j\">Next (j)</button><button data-key=\"s\">Save (s)</button><output id=\"progress\"></output></div>\n"
           "<script type=\"application/json\" id=\"decisions\">" + embedded + "</script>\n" + kScript + "</body></html>\n";
}

}  // namespace retromass::batch
