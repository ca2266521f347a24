#include <cairo-pdf.h>
#include <cairo.h>
#include <pango/pangocairo.h>

#include <algorithm>
#include <array>
#include <memory>

#include "pipeline/outputs/objects.h"
#include "pipeline/outputs/report.h"
#include "pipeline/outputs/words.h"

// The report's document on paper: A4 across, text that can be searched, one flow from top to bottom.

namespace retromass::outputs {
namespace {

constexpr double kWidth_pt = 842, kHeight_pt = 595;  // A4 across
constexpr double kMargin_pt = 36, kBand_pt = 14;
constexpr double kTop_pt = kMargin_pt + 4, kBottom_pt = kHeight_pt - kMargin_pt - 2;
constexpr double kRoom_pt = kWidth_pt - 2 * kMargin_pt;
constexpr double kPad_pt = 3;                        // round the text of a cell

using Surface = std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)>;
using Context = std::unique_ptr<cairo_t, decltype(&cairo_destroy)>;
using Layout = std::unique_ptr<PangoLayout, decltype(&g_object_unref)>;

struct Font {
    double size_pt = 8.5;
    bool bold = false;
    double grey = 0;
    bool mono = false;
};
constexpr Font kText{}, kStrong{8.5, true}, kSoft{8, false, 0.33}, kSmall{6.8, false, 0.33}, kCell{7.6}, kHead{7.6, true}, kHash{6.4, false, 0, true};

struct Colour {
    double r, g, b;
};
// Of lesions, by number; the page's light scheme (report_style.cpp).
constexpr std::array<Colour, 5> kInks{{{0, 0.447, 0.698}, {0.725, 0.310, 0}, {0, 0.478, 0.353}, {0.659, 0.278, 0.498}, {0.541, 0.380, 0}}};

class Paper {
public:
    Paper(cairo_t* c, const Document& document, const Pictures& pictures) : c_(c), document_(document), pictures_(pictures) { begin_page(); }

    Status draw(const std::vector<Block>& blocks)
    {
        for (const auto& block : blocks) RETROMASS_TRY(std::visit([this](const auto& b) { return add(b); }, block));
        return Done{};
    }
    void title()
    {
        flow(document_.title, {16, true}, kMargin_pt, kRoom_pt);
        flow(document_.use, kSoft, kMargin_pt, kRoom_pt);
        y_ += 6;
    }
    void close() { cairo_show_page(c_); }

private:
    Layout layout_of(const std::string& text, const Font& font, double width) const
    {
        Layout layout(pango_cairo_create_layout(c_), &g_object_unref);
        PangoFontDescription* description = pango_font_description_from_string(font.mono ? "DejaVu Sans Mono" : "DejaVu Sans");
        pango_font_description_set_absolute_size(description, font.size_pt * PANGO_SCALE);
        pango_font_description_set_weight(description, font.bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
        pango_layout_set_font_description(layout.get(), description);
        pango_font_description_free(description);
        pango_layout_set_wrap(layout.get(), PANGO_WRAP_WORD_CHAR);
        if (width > 0) pango_layout_set_width(layout.get(), static_cast<int>(width * PANGO_SCALE));
        pango_layout_set_text(layout.get(), text.c_str(), static_cast<int>(text.size()));
        return layout;
    }
    static double height_of(const Layout& layout)
    {
        int height = 0;
        pango_layout_get_size(layout.get(), nullptr, &height);
        return static_cast<double>(height) / PANGO_SCALE;
    }
    double width_of(const std::string& text, const Font& font) const
    {
        int width = 0;
        pango_layout_get_size(layout_of(text, font, 0).get(), &width, nullptr);
        return static_cast<double>(width) / PANGO_SCALE;
    }
    void put(const std::string& text, const Font& font, double x, double y, double width, PangoAlignment align = PANGO_ALIGN_LEFT) const
    {
        const auto layout = layout_of(text, font, width);
        pango_layout_set_alignment(layout.get(), align);
        cairo_set_source_rgb(c_, font.grey, font.grey, font.grey);
        cairo_move_to(c_, x, y);
        pango_cairo_show_layout(c_, layout.get());
        cairo_new_path(c_);
    }

    void begin_page()
    {
        ++page_;
        y_ = kTop_pt;
        for (const double top : {kMargin_pt - kBand_pt - 8, kHeight_pt - kMargin_pt + 4}) {
            cairo_set_source_rgb(c_, 0.941, 0.894, 0.259);
            cairo_rectangle(c_, kMargin_pt, top, kRoom_pt, kBand_pt);
            cairo_fill(c_);
            put(document_.band, {8, true}, kMargin_pt, top + 2, kRoom_pt, PANGO_ALIGN_CENTER);
        }
        put(document_.title, {6.8}, kMargin_pt + 4, kMargin_pt - kBand_pt - 5, kRoom_pt / 3);
        put("page " + std::to_string(page_), {6.8}, kMargin_pt, kHeight_pt - kMargin_pt + 7, kRoom_pt - 4, PANGO_ALIGN_RIGHT);
    }
    /// Goes on to the next page where less than this is left of this one.
    void need(double height)
    {
        if (y_ + height <= kBottom_pt || y_ <= kTop_pt) return;
        cairo_show_page(c_);
        begin_page();
    }
    /// Text that goes on over the end of a page, line by line.
    void flow(const std::string& text, const Font& font, double x, double width)
    {
        const auto layout = layout_of(text, font, width);
        PangoLayoutIter* iterator = pango_layout_get_iter(layout.get());
        do {
            PangoRectangle extent;
            pango_layout_iter_get_line_extents(iterator, nullptr, &extent);
            const double height = static_cast<double>(extent.height) / PANGO_SCALE;
            need(height);
            cairo_set_source_rgb(c_, font.grey, font.grey, font.grey);
            cairo_move_to(c_, x, y_ + static_cast<double>(pango_layout_iter_get_baseline(iterator) - extent.y) / PANGO_SCALE);
            pango_cairo_show_layout_line(c_, pango_layout_iter_get_line_readonly(iterator));
            cairo_new_path(c_);
            y_ += height;
        } while (pango_layout_iter_next_line(iterator));
        pango_layout_iter_free(iterator);
    }
    void rule(double y, double grey, double width = 0.6) const
    {
        cairo_set_source_rgb(c_, grey, grey, grey);
        cairo_set_line_width(c_, width);
        cairo_move_to(c_, kMargin_pt, y);
        cairo_line_to(c_, kWidth_pt - kMargin_pt, y);
        cairo_stroke(c_);
    }

    Status add(const Heading& heading)
    {
        const bool section = heading.level == 2;
        y_ += section ? 14 : 7;
        need(section ? 110 : 90);  // a heading is not left alone at the foot of a page
        if (section) {
            rule(y_, 0.75);
            y_ += 4;
        }
        flow(heading.text + (heading.tag.empty() ? "" : "  [" + heading.tag + "]"), {section ? 12.0 : 9.5, true}, kMargin_pt, kRoom_pt);
        y_ += 3;
        return Done{};
    }
    Status add(const Words& words)
    {
        flow(words.text, words.look == Words::Look::strong ? kStrong : words.look == Words::Look::soft ? kSoft : kText, kMargin_pt, kRoom_pt);
        y_ += 4;
        return Done{};
    }
    Status add(const Extract& extract)
    {
        flow(extract.text, {9.5}, kMargin_pt + 10, kRoom_pt - 20);
        y_ += 4;
        return Done{};
    }
    void list(const std::vector<Remark>& remarks)
    {
        for (const auto& remark : remarks) {
            need(12);
            put("-", kText, kMargin_pt + 2, y_, 10);
            flow(remark.word + (remark.where.empty() ? "" : " (" + remark.where + ")") + (remark.text.empty() ? "" : ": " + remark.text), kText, kMargin_pt + 12, kRoom_pt - 12);
            y_ += 1.5;
        }
    }
    Status add(const Remarks& remarks)
    {
        list(remarks.items);
        y_ += 3;
        return Done{};
    }
    Status add(const Facts& facts)
    {
        constexpr double kNames_pt = 150;
        for (const auto& [what, value] : facts.rows) {
            need(std::max(height_of(layout_of(what, kStrong, kNames_pt - 8)), 11.0));
            put(what, kStrong, kMargin_pt, y_, kNames_pt - 8);
            const double below = y_ + height_of(layout_of(what, kStrong, kNames_pt - 8));
            const int page = page_;
            flow(value, kText, kMargin_pt + kNames_pt, kRoom_pt - kNames_pt);
            if (page == page_) y_ = std::max(y_, below);
            y_ += 1.5;
        }
        y_ += 3;
        return Done{};
    }
    Status add(const Decided& decided)
    {
        RETROMASS_TRY(add(Heading{3, decided.title, ""}));
        flow(decided.reason, kText, kMargin_pt, kRoom_pt);
        if (!decided.rule.empty()) flow("Rule: " + decided.rule, kSoft, kMargin_pt, kRoom_pt);
        if (!decided.inputs.empty()) flow("Inputs: " + decided.inputs, kSoft, kMargin_pt, kRoom_pt);
        list(decided.remarks);
        return Done{};
    }
    Status add(const Cards& cards)
    {
        constexpr double kGap_pt = 8, kInside_pt = 8;
        const double width = (kRoom_pt - kGap_pt * static_cast<double>(cards.items.size() - 1)) / static_cast<double>(cards.items.size()), inside = width - 2 * kInside_pt;
        const Font label{8, true, 0.33}, big{17, true};
        double height = 0;
        for (const auto& card : cards.items) height = std::max(height, height_of(layout_of(card.label, label, inside)) + height_of(layout_of(card.big, big, inside)) + height_of(layout_of(card.text, kText, inside)) + 2 * kInside_pt);
        need(height);
        double x = kMargin_pt;
        for (const auto& card : cards.items) {
            cairo_set_source_rgb(c_, 0.7, 0.7, 0.7);
            cairo_set_line_width(c_, 0.7);
            cairo_rectangle(c_, x, y_, width, height);
            cairo_stroke(c_);
            double y = y_ + kInside_pt;
            for (const auto& [text, font] : {std::pair{&card.label, label}, {&card.big, big}, {&card.text, kText}}) {
                put(*text, font, x + kInside_pt, y, inside);
                y += height_of(layout_of(*text, font, inside));
            }
            x += width + kGap_pt;
        }
        y_ += height + 8;
        return Done{};
    }

    static Font font_of(const Cell& cell) { return cell.look == Cell::Look::head || cell.look == Cell::Look::tag ? kHead : cell.look == Cell::Look::code ? kHash : kCell; }
    /// As wide as the widest cell wants where that fits; else every column keeps its longest word, and the rest is shared by want.
    std::vector<double> widths_of(const Table& table) const
    {
        std::vector<double> want, least;
        const auto longest_word = [this](const std::string& text, const Font& font) {
            double out = 0;
            for (std::size_t from = 0; from < text.size();) {
                const auto to = std::min(text.find(' ', from), text.size());
                out = std::max(out, width_of(text.substr(from, to - from), font));
                from = to + 1;
            }
            return out;
        };
        for (std::size_t i = 0; i < table.columns.size(); ++i) {
            double wide = width_of(table.columns[i].title, kHead), word = longest_word(table.columns[i].title, kHead);
            for (const auto& row : table.rows) {
                wide = std::max({wide, width_of(row[i].text, font_of(row[i])), width_of(row[i].below, kSmall)});
                word = std::max({word, longest_word(row[i].text, font_of(row[i])), longest_word(row[i].below, kSmall)});
            }
            want.push_back(wide + 2 * kPad_pt + 1);
            least.push_back(std::min(word, kRoom_pt / 3) + 2 * kPad_pt + 1);
        }
        double all = 0, needed = 0;
        for (std::size_t i = 0; i < want.size(); ++i) {
            all += want[i];
            needed += least[i];
        }
        if (all <= kRoom_pt) return want;
        for (std::size_t i = 0; i < want.size(); ++i) want[i] = needed >= kRoom_pt ? least[i] * kRoom_pt / needed : least[i] + (want[i] - least[i]) * (kRoom_pt - needed) / (all - needed);
        return want;
    }
    double height_of_row(const std::vector<Cell>& row, const std::vector<double>& widths) const
    {
        double height = 0;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const double width = widths[i] - 2 * kPad_pt;
            height = std::max(height, height_of(layout_of(row[i].text, font_of(row[i]), width)) + (row[i].below.empty() ? 0 : height_of(layout_of(row[i].below, kSmall, width))));
        }
        return height + 2 * kPad_pt;
    }
    void put_row(const std::vector<Cell>& row, const Table& table, const std::vector<double>& widths, double height)
    {
        double x = kMargin_pt;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const double width = widths[i] - 2 * kPad_pt;
            const auto align = table.columns[i].number ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT;
            const auto text = row[i].text.empty() && row[i].below.empty() && table.columns[i].number ? std::string("-") : row[i].text;
            put(text, font_of(row[i]), x + kPad_pt, y_ + kPad_pt, width, align);
            if (!row[i].below.empty()) put(row[i].below, kSmall, x + kPad_pt, y_ + kPad_pt + height_of(layout_of(text, font_of(row[i]), width)), width, align);
            x += widths[i];
        }
        y_ += height;
        rule(y_, 0.8, 0.4);
    }
    Status add(const Table& table)
    {
        if (!table.caption.empty()) {
            need(60);
            flow(table.caption, kSoft, kMargin_pt, kRoom_pt);
            y_ += 2;
        }
        const auto widths = widths_of(table);
        std::vector<Cell> heads;
        for (const auto& column : table.columns) heads.push_back({column.title, Cell::Look::head});
        const double head = height_of_row(heads, widths);
        const auto put_head = [&] {
            cairo_set_source_rgb(c_, 0.94, 0.95, 0.96);
            cairo_rectangle(c_, kMargin_pt, y_, kRoom_pt, head);
            cairo_fill(c_);
            put_row(heads, table, widths, head);
        };
        need(head + (table.rows.empty() ? 0 : height_of_row(table.rows.front(), widths)));
        put_head();
        for (const auto& row : table.rows) {
            const double height = height_of_row(row, widths);
            const int page = page_;
            need(height);
            if (page != page_) put_head();
            put_row(row, table, widths, height);
        }
        y_ += 8;
        return Done{};
    }

    Status add(const Figures& figures)
    {
        constexpr double kGap_pt = 4, kHighest_pt = 190;
        const std::size_t most = figures.one_row ? 6 : 3;
        const auto columns = static_cast<double>(figures.one_row ? std::min(most, figures.items.size()) : most);
        for (std::size_t from = 0; from < figures.items.size(); from += most) {
            struct Ready {
                Surface picture;
                double scale;
            };
            std::vector<Ready> row;
            double height = 0, scale_of_row = 1e9, captions = 0;
            for (std::size_t i = from; i < std::min(from + most, figures.items.size()); ++i) {
                const auto file = pictures_.folder / figures.items[i].file;
                Surface picture(cairo_image_surface_create_from_png(file.c_str()), &cairo_surface_destroy);
                if (cairo_surface_status(picture.get()) != CAIRO_STATUS_SUCCESS) return Error{Code::io, "cannot read " + file.string(), "outputs: write_pdf"};
                const double scale = std::min((kRoom_pt / columns - kGap_pt) / cairo_image_surface_get_width(picture.get()), kHighest_pt / cairo_image_surface_get_height(picture.get()));
                scale_of_row = std::min(scale_of_row, scale);
                row.push_back({std::move(picture), scale});
                if (!figures.items[i].caption.empty()) captions = 11;
            }
            for (auto& ready : row) {
                if (figures.one_row) ready.scale = scale_of_row;
                height = std::max(height, ready.scale * cairo_image_surface_get_height(ready.picture.get()));
            }
            need(height + captions);
            double x = kMargin_pt;
            for (std::size_t i = 0; i < row.size(); ++i) {
                const double room = figures.one_row ? row[i].scale * cairo_image_surface_get_width(row[i].picture.get()) + kGap_pt : kRoom_pt / columns;
                cairo_save(c_);
                cairo_translate(c_, x, y_);
                cairo_scale(c_, row[i].scale, row[i].scale);
                cairo_set_source_surface(c_, row[i].picture.get(), 0, 0);
                cairo_paint(c_);
                cairo_restore(c_);
                if (captions > 0) put(figures.items[from + i].caption, kSmall, x, y_ + height + 1, room - kGap_pt);
                x += room;
            }
            y_ += height + captions + 4;
        }
        return Done{};
    }

    void ink(const Shape& shape) const
    {
        if (shape.ink >= 0) {
            const auto& colour = kInks[static_cast<std::size_t>(shape.ink) % kInks.size()];
            return cairo_set_source_rgb(c_, colour.r, colour.g, colour.b);
        }
        if (shape.style == "span") return cairo_set_source_rgba(c_, 0, 0.447, 0.698, 0.13);
        const double grey = shape.style == "grid" || shape.style == "guide" ? 0.82 : shape.style == "treatment" || shape.style == "base" ? 0.34 : shape.style == "tick" ? 0.34 : 0.1;
        cairo_set_source_rgb(c_, grey, grey, grey);
    }
    void draw(const Shape& shape) const
    {
        using Kind = Shape::Kind;
        ink(shape);
        cairo_new_path(c_);
        if (shape.kind == Kind::line) {
            const double dashes[] = {5, 3};
            cairo_set_line_width(c_, shape.style == "curve" ? 2 : 1);
            if (shape.style == "guide" || shape.style == "treatment") cairo_set_dash(c_, dashes, 2, 0);
            cairo_move_to(c_, shape.x0, shape.y0);
            cairo_line_to(c_, shape.x1, shape.y1);
            cairo_stroke(c_);
            cairo_set_dash(c_, nullptr, 0, 0);
        } else if (shape.kind == Kind::box) {
            cairo_rectangle(c_, shape.x0, shape.y0, shape.x1 - shape.x0, shape.y1 - shape.y0);
            cairo_fill(c_);
        } else if (shape.kind == Kind::text) {
            const auto layout = layout_of(shape.text, {12, shape.style == "value" || shape.style == "axis-title" || shape.style == "tick strong"}, 0);
            int width = 0;
            pango_layout_get_size(layout.get(), &width, nullptr);
            const double part = shape.anchor == Shape::Anchor::start ? 0 : shape.anchor == Shape::Anchor::end ? 1 : 0.5;
            cairo_move_to(c_, shape.x0 - part * width / PANGO_SCALE, shape.y0 - static_cast<double>(pango_layout_get_baseline(layout.get())) / PANGO_SCALE);
            pango_cairo_show_layout(c_, layout.get());
            cairo_new_path(c_);
        } else {
            constexpr double kTurn = 6.283185307179586;
            cairo_arc(c_, shape.x0, shape.y0, shape.x1 - shape.x0, 0, kTurn);
            cairo_set_line_width(c_, 1.5);
            if (shape.kind == Kind::disc) cairo_fill(c_);
            else cairo_stroke(c_);
        }
    }
    Status add(const Drawing& drawing)
    {
        constexpr double kLeast = 0.45;  // below this scale its text is too small to read
        const double left = kBottom_pt - y_;
        double scale = std::min(kRoom_pt / drawing.width, left / drawing.height);
        if (scale < kLeast) {
            need(kBottom_pt - kTop_pt);
            scale = std::min(kRoom_pt / drawing.width, (kBottom_pt - y_) / drawing.height);
        }
        cairo_save(c_);
        cairo_translate(c_, kMargin_pt + (kRoom_pt - scale * drawing.width) / 2, y_);
        cairo_scale(c_, scale, scale);
        for (const auto& shape : drawing.shapes) draw(shape);
        cairo_restore(c_);
        y_ += scale * drawing.height + 4;
        return Done{};
    }

    cairo_t* c_;
    const Document& document_;
    const Pictures& pictures_;
    double y_ = kTop_pt;
    int page_ = 0;
};

}  // namespace

Status write_pdf(const std::filesystem::path& file, const Document& document, const Pictures& pictures, const std::string& date)
{
    const Surface surface(cairo_pdf_surface_create(file.c_str(), kWidth_pt, kHeight_pt), &cairo_surface_destroy);
    cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_CREATE_DATE, (date + "T00:00:00Z").c_str());
    cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_TITLE, "RESEARCH tumour response");
    if (!document.protocol.empty()) cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_SUBJECT, ("Protocol " + document.protocol).c_str());  // on the page a hash may break over lines
    {
        const Context c(cairo_create(surface.get()), &cairo_destroy);
        Paper paper(c.get(), document, pictures);
        paper.title();
        RETROMASS_TRY(paper.draw(document.answer));
        RETROMASS_TRY(paper.draw(document.aside));
        RETROMASS_TRY(paper.draw(document.body));
        RETROMASS_TRY(paper.draw({Words{document.footer, Words::Look::soft}}));
        paper.close();
    }
    cairo_surface_finish(surface.get());
    const auto status = cairo_surface_status(surface.get());
    if (status != CAIRO_STATUS_SUCCESS) return Error{Code::io, "cannot write " + file.string() + ": " + cairo_status_to_string(status), "outputs: write_pdf"};
    return Done{};
}

Result<RgbPicture> read_picture(const std::filesystem::path& file)
{
    const Surface picture(cairo_image_surface_create_from_png(file.c_str()), &cairo_surface_destroy);
    if (cairo_surface_status(picture.get()) != CAIRO_STATUS_SUCCESS) return Error{Code::io, "cannot read " + file.string(), "outputs: read_picture"};
    RgbPicture out{cairo_image_surface_get_width(picture.get()), cairo_image_surface_get_height(picture.get()), {}};
    const unsigned char* const data = cairo_image_surface_get_data(picture.get());
    const int stride = cairo_image_surface_get_stride(picture.get());
    for (int y = 0; y < out.height; ++y) {
        for (int x = 0; x < out.width; ++x) {
            std::uint32_t pixel = 0;  // native order: alpha, red, green, blue from the highest byte
            std::copy_n(data + y * stride + 4 * x, 4, reinterpret_cast<unsigned char*>(&pixel));
            for (const int shift : {16, 8, 0}) out.pixels.push_back(static_cast<std::uint8_t>(pixel >> shift & 0xff));
        }
    }
    return out;
}

}  // namespace retromass::outputs
