#include <algorithm>
#include <cmath>

#include "pipeline/outputs/words.h"

namespace retromass::outputs {
namespace {

std::string text_of(const std::optional<Length>& length) { return length ? length->text() : ""; }

const response::Lesion* lesion_named(const CaseResult& result, const std::string& id)
{
    for (const auto& lesion : result.lesions) {
        if (lesion.id == id) return &lesion;
    }
    return nullptr;
}

/// What other programs' tables may hold is text; ASCII keeps columns aligned on every terminal.
std::string ascii(const std::string& text)
{
    std::string out;
    for (const char c : text) {
        if ((static_cast<unsigned char>(c) & 0xC0) == 0x80) continue;  // the rest of a UTF-8 character
        out += c >= 32 && c < 127 ? c : '?';
    }
    return out;
}

std::string clipped(const std::string& text, std::size_t width)
{
    const auto plain = ascii(text);
    return plain.size() <= width ? plain : plain.substr(0, width - 2) + "..";
}

/// A table of texts: columns as wide as they need, numbers to the right.
class TextTable {
public:
    struct Column {
        std::string title;
        std::size_t widest;
        bool number;
    };
    explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}
    void add(std::vector<std::string> cells)
    {
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (!columns_[i].number) cells[i] = clipped(cells[i], columns_[i].widest);  // a number is never cut
        }
        rows_.push_back(std::move(cells));
    }
    bool empty() const { return rows_.empty(); }
    std::string text() const
    {
        std::vector<std::size_t> width;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            width.push_back(columns_[i].title.size());
            for (const auto& row : rows_) width[i] = std::max(width[i], row[i].size());
        }
        std::vector<std::string> titles;
        for (const auto& column : columns_) titles.push_back(column.title);
        std::string out = line(titles, width);
        std::size_t whole = 0;
        for (const auto w : width) whole += w + 2;
        out += std::string(whole - 2, '-') + "\n";
        for (const auto& row : rows_) out += line(row, width);
        return out;
    }

private:
    std::string line(const std::vector<std::string>& cells, const std::vector<std::size_t>& width) const
    {
        std::string out;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const std::string blank(width[i] - cells[i].size(), ' ');
            out += (i ? "  " : "") + (columns_[i].number ? blank + cells[i] : cells[i] + blank);
        }
        while (!out.empty() && out.back() == ' ') out.pop_back();
        return out + "\n";
    }
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

/// Breaks at blanks so that no line is wider than `width`.
std::string wrapped(const std::string& text, std::size_t width, const std::string& indent)
{
    std::string out;
    std::string line;
    std::size_t from = 0;
    while (from <= text.size()) {
        auto to = text.find(' ', from);
        if (to == std::string::npos) to = text.size();
        const auto word = text.substr(from, to - from);
        if (!line.empty() && line.size() + 1 + word.size() > width) {
            out += line + "\n";
            line = indent + word;
        } else {
            line += (line.empty() ? "" : " ") + word;
        }
        from = to + 1;
    }
    return out + line + "\n";
}

constexpr std::size_t kLineWidth = 120;

std::string paragraph(const std::string& text) { return wrapped(ascii(text), kLineWidth, "    "); }

std::string measurements_text(const CaseResult& result)
{
    TextTable table({{"time point", 20, false}, {"date", 10, false}, {"lesion", 10, false}, {"long mm", 10, true}, {"short mm", 10, true},
                     {"cc mm", 10, true}, {"volume ml", 13, true}, {"notices", 24, false}});
    std::string reasons;
    for (const auto& timepoint : result.timepoints) {
        for (const auto& lesion : timepoint.lesions) {
            const auto& m = lesion.measurements;
            const auto cut = at_least(lesion);
            std::string note = codes_of(notices_of(lesion));
            if (lesion.status != response::LesionStatus::measured) {
                note = name(lesion.status);
                if (!lesion.reason.empty()) reasons += paragraph(timepoint.id + ", " + lesion.lesion + ": " + std::string(name(lesion.status)) + ": " + lesion.reason);
            }
            table.add({timepoint.id, date_text(timepoint.date), lesion.lesion, m ? cut + mm_text(m->long_axis.recorded) : "-", m ? cut + mm_text(m->short_axis.recorded) : "-",
                       m ? cut + mm_text(m->craniocaudal.recorded) : "-", m ? cut + fixed(m->recorded_volume_ml, 2) : "-", note});
        }
    }
    for (const auto& timepoint : result.timepoints) {
        for (const auto& notice : timepoint.notices) {
            if (notice.code == Code::outside_protocol) reasons += paragraph(timepoint.id + ": " + std::string(name(notice.code)) + ": " + notice.text);
        }
    }
    return table.text() + reasons;
}

/// The criteria beside RECIST 1.1, one line each, and where they disagree with the primary one.
std::string criteria_text(const response::Assessment& assessment)
{
    if (assessment.criteria.empty()) return "";
    TextTable table({{"criterion", 14, false}, {"period", 38, false}, {"time point", 18, false}, {"change %", 9, true}, {"category", 18, false}, {"note", 17, false}});
    std::string apart;
    for (const auto& period : assessment.criteria) {
        const std::string title(response::criterion_title(period.criterion));
        if (!period.not_applicable.empty()) {
            apart += paragraph(title + ", " + period.period + ": not applicable: " + period.not_applicable);
            continue;
        }
        for (const auto& point : period.timepoints) {
            if (point.is_baseline) continue;
            std::string note = point.confirmed ? (*point.confirmed ? "confirmed" : "unconfirmed") : "";
            if (const auto codes = codes_of(point.decision.notices); !codes.empty()) note += (note.empty() ? "" : ", ") + codes;
            table.add({title, period.period, point.timepoint, point.change_from_baseline_pct ? signed_percent(point.change_from_baseline_pct) : "-",
                       point.decision.category == response::Category::none ? "-" : std::string(name(point.decision.category)), note});
        }
    }
    std::string out = "\n" + std::string(assessment.primary == "recist-1.1" ? "Exploratory" : "Further criteria; primary is " + std::string(response::criterion_title(assessment.primary))) + "\n";
    if (!table.empty()) out += table.text();
    out += apart;
    for (const auto& d : assessment.disagreements) out += paragraph("criteria-disagree, " + d.timepoint + " (" + d.period + "): " + d.reason);
    for (const auto& note : assessment.identity) out += paragraph((note.suggested ? "Suggested, " : "") + note.what + ", " + note.timepoint + ", " + note.text);
    return out + "\n";
}

std::string decisions_text(const CaseResult& result)
{
    TextTable table({{"period", 38, false}, {"time point", 18, false}, {"sum mm", 8, true}, {"base %", 7, true}, {"nadir %", 7, true},
                     {"category", 13, false}, {"note", 17, false}});
    for (const auto& row : result.assessment.recist) {
        const auto sum = sum_text(row).empty() ? std::string("-") : sum_text(row);
        const auto category = row.is_baseline ? "baseline" : std::string(name(row.overall.category));
        auto note = row.confirmed ? (*row.confirmed ? "confirmed" : "unconfirmed") : std::string();
        const auto codes = codes_of(row.overall.notices);
        if (!codes.empty()) note += (note.empty() ? "" : ", ") + codes;
        const auto dash = [&](const std::optional<double>& change) { return row.is_baseline || !change ? std::string("-") : signed_percent(change); };
        table.add({row.period, row.timepoint, sum, dash(row.change_from_baseline_pct), dash(row.change_from_nadir_pct), category, note});
    }
    return table.text();
}

}  // namespace

std::string measurements_csv(const CaseResult& result)
{
    std::string out = csv_line({"case", "timepoint", "date", "date_source", "lesion", "role", "site", "organ", "nodal", "status", "reason", "review_state", "reviewer",
                               "long_axis_mm", "short_axis_mm", "craniocaudal_mm", "max_3d_diameter_mm", "volume_ml", "mesh_volume_mm3", "surface_area_mm2",
                               "hu_mean", "hu_sd", "hu_median", "hu_core_mean", "gas_ml", "fat_ml", "low_attenuation_ml", "solid_ml", "dense_ml",
                               "long_axis_low_mm", "long_axis_high_mm", "short_axis_low_mm", "short_axis_high_mm", "craniocaudal_low_mm", "craniocaudal_high_mm", "volume_low_ml", "volume_high_ml",
                               "hu_mean_low", "hu_mean_high", "hu_core_mean_low", "hu_core_mean_high", "volume_within_case_cv", "intervals_calibrated_on", "intervals_not_validated", "intervals_stated",
                               "reader_long_axis_mm", "tracking_uid", "notices", "synthetic", "protocol"});
    for (const auto& timepoint : result.timepoints) {
        for (const auto& lesion : timepoint.lesions) {
            const auto* known = lesion_named(result, lesion.lesion);
            std::vector<std::string> row{result.case_id, timepoint.id, date_text(timepoint.date), timepoint.date_source, lesion.lesion,
                                         known ? std::string(name(known->role)) : "", known ? known->site : "", known ? known->organ : "", known && known->nodal ? "1" : "0",
                                         std::string(name(lesion.status)), lesion.reason, lesion.review_state, lesion.reviewer};
            if (const auto& m = lesion.measurements) {
                row.insert(row.end(), {m->long_axis.recorded.text(), m->short_axis.recorded.text(), m->craniocaudal.recorded.text(), fixed(m->max_3d_diameter_mm, 2),
                                       fixed(m->recorded_volume_ml, 2), fixed(m->mesh_volume_mm3, 1), fixed(m->surface_area_mm2, 1)});
                if (m->hu) row.insert(row.end(), {fixed(m->hu->mean, 1), fixed(m->hu->sd, 1), fixed(m->hu->median, 1)});
                else row.insert(row.end(), 3, "");
                row.push_back(m->hu_core ? fixed(m->hu_core->mean, 1) : "");
                if (const auto& c = m->components) row.insert(row.end(), {fixed(c->gas_ml, 2), fixed(c->fat_ml, 2), fixed(c->low_attenuation_ml, 2), fixed(c->solid_ml, 2), fixed(c->dense_ml, 2)});
                else row.insert(row.end(), 5, "");
            } else {
                row.insert(row.end(), 16, "");
            }
            for (const auto& [quantity, decimals] : {std::pair{"long_axis_mm", 1}, {"short_axis_mm", 1}, {"craniocaudal_mm", 1}, {"volume_ml", 2}, {"hu_mean", 1}, {"hu_core_mean", 1}}) {
                const auto found = lesion.intervals.find(quantity);
                if (found == lesion.intervals.end()) row.insert(row.end(), 2, "");
                else row.insert(row.end(), {fixed(found->second.low, decimals), fixed(found->second.high, decimals)});
            }
            const auto& origin = lesion.interval_origin;
            const auto cv = origin.within_case_cv.find("volume_ml");
            row.insert(row.end(), {cv == origin.within_case_cv.end() ? "" : fixed(cv->second, 4), origin.calibrated_on, origin.not_validated, origin.stated});
            auto notices = notices_of(lesion);
            for (const auto& notice : timepoint.notices) {
                if (notice.code == Code::outside_protocol) notices.push_back(notice);
            }
            row.insert(row.end(), {text_of(lesion.reader_long_axis), lesion.tracking_uid, codes_of(notices), result.synthetic ? "1" : "0", result.assessment.protocol});
            out += csv_line(row);
        }
    }
    return out;
}

std::string response_table(const CaseResult& result)
{
    std::string out = paragraph("Case " + result.case_id + (result.synthetic ? "  SYNTHETIC" : "") + "  [" + band_text(review_state_of(result)) + "]");
    if (!result.assessment.protocol.empty()) out += paragraph("Protocol " + result.assessment.protocol);
    out += "\n";
    out += measurements_text(result) + "\nRECIST 1.1\n" + decisions_text(result) + "\n";
    for (const auto& line : result.assessment.lines) {
        out += paragraph("Best overall response, " + line.period + ": " + best_text(line.best_overall_response) + (line.confirmed ? (*line.confirmed ? " (confirmed)" : " (unconfirmed)") : "") +
                         (line.best_overall_response.reason.empty() ? "" : ". " + sentence(line.best_overall_response.reason)));
        if (!line.pfs_text.empty()) out += paragraph("Progression-free survival, " + line.period + ": " + line.pfs_text);
        for (const auto& notice : line.notices) out += paragraph("  " + std::string(name(notice.code)) + ": " + notice.text);
    }
    for (const auto& pair : result.assessment.growth) {
        std::string text = "Growth of " + pair.lesion + ", " + pair.from + " to " + pair.to + " (" + pair.basis + "): " + fixed(pair.fold, pair.fold < 10 ? 3 : 0) + "-fold in " + fixed(pair.days, 0) + " days";
        if (pair.doubling_time_days) {
            text += *pair.doubling_time_days > 0 ? ", doubling time " : ", halving time ";
            text += fixed(std::abs(*pair.doubling_time_days), 1) + " days";
        }
        for (const auto& notice : pair.notices) text += "; " + std::string(name(notice.code)) + ": " + notice.text;
        out += paragraph(text);
    }
    for (const auto& [policy, other] : result.alternatives) {
        if (other.lines.empty()) continue;
        const auto& last = other.lines.back();
        out += paragraph("With " + policy + ": best overall response " + best_text(last.best_overall_response) + (last.pfs_text.empty() ? "" : ", PFS " + last.pfs_text));
    }
    out += criteria_text(result.assessment);
    if (const auto* const now = response::repeats_now(result.assessment); now && !now->text.empty()) {
        out += paragraph(result.assessment.recist.back().timepoint + ": " + now->text);
    } else {
        out += paragraph("Measurement intervals are not yet known; a category near its limit may differ if the scans were measured again.");
    }
    return out;
}

}  // namespace retromass::outputs
