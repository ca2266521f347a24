#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include "pipeline/outputs/report.h"
#include "pipeline/outputs/words.h"

// The document as one page that stands alone. Every text passes html().

namespace retromass::outputs {
namespace {

constexpr int kInks = 5;  // --m0 to --m4 of the style

std::string element(const std::string& name, const std::string& content, const std::string& style_class = "")
{
    return "<" + name + (style_class.empty() ? "" : " class=\"" + style_class + "\"") + ">" + content + "</" + name + ">";
}

std::string attribute(const char* name, double value) { return std::string(" ") + name + "=\"" + fixed(value, 1) + "\""; }

std::string svg_of(const Shape& shape)
{
    const auto ink = shape.ink < 0 ? "" : " style=\"--ink:var(--m" + std::to_string(shape.ink % kInks) + ")\"";
    const auto look = " class=\"" + shape.style + (shape.ink < 0 ? "" : " inked") + "\"" + ink;
    switch (shape.kind) {
        case Shape::Kind::line: return "<line" + attribute("x1", shape.x0) + attribute("y1", shape.y0) + attribute("x2", shape.x1) + attribute("y2", shape.y1) + look + "/>\n";
        case Shape::Kind::box: return "<rect" + attribute("x", shape.x0) + attribute("y", shape.y0) + attribute("width", shape.x1 - shape.x0) + attribute("height", shape.y1 - shape.y0) + look + "/>\n";
        case Shape::Kind::disc: return "<circle" + attribute("cx", shape.x0) + attribute("cy", shape.y0) + attribute("r", shape.x1 - shape.x0) + look + "/>\n";
        case Shape::Kind::ring: return "<circle data-hollow=\"\"" + attribute("cx", shape.x0) + attribute("cy", shape.y0) + attribute("r", shape.x1 - shape.x0) + look + "/>\n";
        case Shape::Kind::text: break;
    }
    const char* const anchor = shape.anchor == Shape::Anchor::start ? "start" : shape.anchor == Shape::Anchor::end ? "end" : "middle";
    return "<text" + attribute("x", shape.x0) + attribute("y", shape.y0) + " text-anchor=\"" + anchor + "\"" + look + ">" + html(shape.text) + "</text>\n";
}

std::string cell_of(const Cell& cell, bool number)
{
    const auto below = cell.below.empty() ? "" : "<small>" + html(cell.below) + "</small>";
    const auto text = html(cell.text.empty() && cell.below.empty() && number ? "-" : cell.text);
    switch (cell.look) {
        case Cell::Look::head: return "<th scope=\"row\">" + text + below + "</th>";
        case Cell::Look::number: return element("td", text + below, "n");
        case Cell::Look::date: return element("td", text + below, "d");
        case Cell::Look::tag: return element("td", element("span", text, "tag") + below);
        case Cell::Look::code: return element("td", text + below, "code");
        case Cell::Look::text: break;
    }
    return element("td", text + below);
}

std::string remark_of(const Remark& remark)
{
    return "<li>" + element("span", html(remark.word), "code") + (remark.where.empty() ? "" : " <small>(" + html(remark.where) + ")</small>") + (remark.text.empty() ? "" : ": " + html(remark.text)) + "</li>\n";
}

std::string remarks_list(const std::vector<Remark>& remarks)
{
    std::string out;
    for (const auto& remark : remarks) out += remark_of(remark);
    return out.empty() ? "" : "<ul>\n" + out + "</ul>\n";
}

/// Draws one kind of block each; pictures may be missing, and then the page is none.
class Page {
public:
    explicit Page(const Pictures& pictures) : pictures_(pictures) {}

    void draw(const std::vector<Block>& blocks)
    {
        for (const auto& block : blocks) std::visit([this](const auto& b) { add(b); }, block);
    }
    void raw(const std::string& markup) { out_ += markup; }
    void close_section()
    {
        if (in_section_) out_ += "</section>\n";
        in_section_ = false;
    }
    Result<std::string> finished()
    {
        if (!missing_.empty()) return Error{Code::io, "cannot read the picture " + missing_, "outputs: report"};
        return std::move(out_);
    }

private:
    void add(const Heading& heading)
    {
        const auto level = "h" + std::to_string(heading.level);
        if (heading.level == 2) {
            close_section();
            out_ += "<section>";
            in_section_ = true;
        }
        out_ += element(level, html(heading.text) + (heading.tag.empty() ? "" : " " + element("span", html(heading.tag), "tag"))) + "\n";
    }
    void add(const Words& words)
    {
        const auto text = html(words.text);
        out_ += element("p", words.look == Words::Look::strong ? element("strong", text) : text, words.look == Words::Look::soft ? "soft" : "") + "\n";
    }
    void add(const Extract& extract) { out_ += "<p class=\"extract\" id=\"paragraph\" tabindex=\"0\">" + html(extract.text) + "</p>\n"; }
    void add(const Remarks& remarks) { out_ += remarks_list(remarks.items); }
    void add(const Facts& facts)
    {
        if (facts.rows.empty()) return;
        out_ += "<dl>\n";
        for (const auto& [what, value] : facts.rows) out_ += element("dt", html(what)) + element("dd", html(value)) + "\n";
        out_ += "</dl>\n";
    }
    void add(const Table& table)
    {
        std::string heads, rows;
        for (const auto& column : table.columns) heads += std::string("<th scope=\"col\"") + (column.number ? " class=\"n\"" : "") + ">" + html(column.title) + "</th>";
        for (const auto& row : table.rows) {
            rows += "<tr>";
            for (std::size_t i = 0; i < row.size(); ++i) rows += cell_of(row[i], table.columns[i].number);
            rows += "</tr>\n";
        }
        out_ += "<div class=\"wide\" tabindex=\"0\"><table>" + (table.caption.empty() ? "" : element("caption", html(table.caption))) + "\n<thead><tr>" + heads + "</tr></thead>\n<tbody>\n" + rows + "</tbody></table></div>\n";
    }
    void add(const Decided& decided)
    {
        out_ += "<div class=\"decision\">" + element("h3", html(decided.title)) + element("p", html(decided.reason)) + "\n";
        if (!decided.rule.empty()) out_ += element("p", "Rule: " + html(decided.rule), "soft") + "\n";
        if (!decided.inputs.empty()) out_ += element("p", "Inputs: " + html(decided.inputs), "soft") + "\n";
        out_ += remarks_list(decided.remarks) + "</div>\n";
    }
    void add(const Figures& figures)
    {
        out_ += figures.one_row ? "<div class=\"sheet\" tabindex=\"0\">\n" : "<div class=\"pictures\">\n";
        for (const auto& figure : figures.items) {
            std::ifstream in(pictures_.folder / figure.file, std::ios::binary);
            std::ostringstream bytes;
            bytes << in.rdbuf();
            if (!in || bytes.str().empty()) missing_ = figure.file;
            out_ += "<figure><img src=\"data:image/png;base64," + base64(bytes.str()) + "\" alt=\"" + html(figure.alt) + "\">" + (figure.caption.empty() ? "" : element("figcaption", html(figure.caption))) + "</figure>\n";
        }
        out_ += "</div>\n";
    }
    void add(const Cards& cards)
    {
        out_ += "<div class=\"cards\">\n";
        for (const auto& card : cards.items) out_ += element("div", element("div", html(card.label), "label") + element("div", html(card.big), "big") + element("p", html(card.text)), "card") + "\n";
        out_ += "</div>\n";
    }
    void add(const Drawing& drawing)
    {
        out_ += "<svg class=\"plot\" viewBox=\"0 0 " + fixed(drawing.width, 0) + " " + fixed(drawing.height, 0) + "\" role=\"img\" aria-labelledby=\"plot-title plot-desc\" xmlns=\"http://www.w3.org/2000/svg\">\n<title id=\"plot-title\">" +
                html(drawing.title) + "</title><desc id=\"plot-desc\">" + html(drawing.description) + "</desc>\n";
        for (const auto& shape : drawing.shapes) out_ += svg_of(shape);
        out_ += "</svg>\n";
    }

    const Pictures& pictures_;
    std::string out_;
    std::string missing_;
    bool in_section_ = false;
};

/// A script as the page holds it: a browser ends one where it reads "</script", even inside a string.
std::string script_text(const std::string& code)
{
    const std::string end = "</script";
    std::string out;
    std::size_t from = 0;
    for (auto at = code.find(end); at != std::string::npos; at = code.find(end, from)) {
        out.append(code, from, at - from).append("<\\/script");
        from = at + end.size();
    }
    return out.append(code, from);
}

/// What the browser is told: nothing comes from elsewhere, and no script runs but those given here by their hash, whatever a text may hold.
std::string security_policy(const std::vector<std::string>& scripts)
{
    std::string allowed;
    for (const auto& script : scripts) {
        const auto hex = sha256_of_text(script);
        std::string bytes;
        for (std::size_t i = 0; i < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
        allowed += " 'sha256-" + base64(bytes) + "'";
    }
    return "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src" + (allowed.empty() ? " 'none'" : allowed) + "; base-uri 'none'; form-action 'none'";
}

/// Data for scripts: no '<' in it can end the element.
std::string data_element(const std::string& id, const std::string& text)
{
    std::string out = "<script type=\"text/plain\" id=\"" + id + "\">";
    for (const char c : text) out += c == '<' ? std::string("\\u003c") : std::string(1, c);
    return out + "</script>\n";
}

}  // namespace

Result<std::string> html_of(const Document& document, const Pictures& pictures, const Moving& moving)
{
    std::vector<std::string> scripts;
    for (const auto& code : moving.scripts) scripts.push_back(script_text(code));
    const auto band = element("div", html(document.band), "band") + "\n";
    Page page(pictures);
    page.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"" +
             security_policy(scripts) + "\">\n" + element("title", html(document.title + " - " + document.band)) + "\n<style>" + kReportStyle + moving.style + "</style>\n</head>\n<body>\n" + band + "<main>\n<header>" + element("h1", html(document.title)) + "\n" +
             element("p", html(document.use), "soft") + "\n<!--signatures--><!--/signatures--></header>\n");
    const auto drawing = std::find_if(document.answer.begin(), document.answer.end(), [](const Block& block) { return std::holds_alternative<Heading>(block); });
    page.raw("<div role=\"region\" aria-label=\"Answer\">\n");
    page.draw({document.answer.begin(), drawing});
    page.raw("<div class=\"first\">\n<div>");
    page.draw({drawing, document.answer.end()});
    page.close_section();
    page.raw("</div>\n<div class=\"attention\">");
    page.draw(document.aside);
    page.close_section();
    page.raw("</div>\n</div>\n</div>\n" + moving.after_answer);
    page.draw(document.body);
    page.close_section();
    page.raw(moving.at_end);
    if (!moving.licences.empty()) page.raw("<details class=\"licences\"><summary>Licences of what moves this page</summary><pre class=\"licences\">" + html(moving.licences) + "</pre></details>\n");
    page.raw("<footer>" + html(document.footer) + "</footer>\n</main>\n" + band);
    for (const auto& [id, text] : moving.data) page.raw(data_element(id, text));
    for (const auto& script : scripts) page.raw("<script>" + script + "</script>\n");
    page.raw("</body>\n</html>\n");
    return page.finished();
}

}  // namespace retromass::outputs
