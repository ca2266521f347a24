#include "pipeline/outputs/words.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>

namespace retromass::outputs {

std::string file_name_of(const std::string& identifier)
{
    std::string name;
    for (const char c : identifier) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
        name += plain ? c : '_';
    }
    constexpr std::size_t kLongest = 80;
    if (name.empty() || name.front() == '.' || name.front() == '-') name.insert(name.begin(), '_');
    name = name.substr(0, kLongest);
    if (name != identifier) name.append("-").append(sha256_of_text(identifier).substr(0, 8));
    return name;
}

std::string csv_cell(std::string_view text)
{
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
    std::string cell = "\"";
    for (const char c : text) {
        if (c == '"') cell += '"';
        cell += c;
    }
    return cell + "\"";
}

std::string csv_line(const std::vector<std::string>& cells)
{
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) line.append(i ? "," : "").append(csv_cell(cells[i]));
    return line + "\n";
}

std::string codes_of(const std::vector<Notice>& notices)
{
    std::string out;
    for (const auto& notice : notices) {
        const std::string code(name(notice.code));
        if ((" " + out + " ").find(" " + code + " ") == std::string::npos) out.append(out.empty() ? "" : " ").append(code);
    }
    return out;
}

std::string html(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        switch (c) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        case '\'': out += "&#39;"; break;
        default: out += c;
        }
    }
    return out;
}

std::string base64(std::string_view bytes)
{
    constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        unsigned group = 0;
        for (std::size_t j = 0; j < 3; ++j) group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
        for (std::size_t j = 0; j < 4; ++j) out += i + j <= bytes.size() ? kAlphabet[group >> (18 - 6 * j) & 63] : '=';
    }
    return out;
}

TextKind kind_of(std::string_view text)
{
    auto kind = TextKind::ascii;
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte < 0x80) {
            if ((byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f) return TextKind::not_text;
            ++i;
            continue;
        }
        kind = TextKind::utf8;
        const std::size_t length = byte >= 0xf0 && byte < 0xf5 ? 4 : byte >= 0xe0 && byte < 0xf0 ? 3 : byte >= 0xc2 && byte < 0xe0 ? 2 : 0;
        if (length == 0 || i + length > text.size()) return TextKind::not_text;
        unsigned code = byte & (0xffU >> (length + 1));
        for (std::size_t j = 1; j < length; ++j) {
            const auto next = static_cast<unsigned char>(text[i + j]);
            if ((next & 0xc0) != 0x80) return TextKind::not_text;
            code = code << 6 | (next & 0x3fU);
        }
        const bool overlong = code < (length == 3 ? 0x800U : length == 4 ? 0x10000U : 0x80U);
        const bool surrogate = code >= 0xd800 && code < 0xe000;
        if (overlong || surrogate || code > 0x10ffff || code < 0xa0) return TextKind::not_text;  // C1 controls too
        i += length;
    }
    return kind;
}

std::string printable(std::string_view text)
{
    std::string out(text);
    for (auto& c : out) {
        if (c < ' ' || c > '~') c = '?';
    }
    return out;
}

std::string date_text(const std::optional<Date>& date) { return date ? iso(*date) : ""; }

std::string decimal_text(double value)
{
    if (std::abs(value) < 1e-12) return "0";
    char text[40];
    for (int digits = 15; digits > 0; --digits) {
        std::snprintf(text, sizeof text, "%.*g", digits, value);
        if (std::string_view(text).size() <= 16) break;
    }
    return text;
}

std::string mm_text(Length length) { return length.hundredths % 10 == 0 ? fixed(length.as_mm(), 1) : length.text(); }

std::string at_least(const LesionResult& lesion) { return has(notices_of(lesion), Code::truncated) ? ">= " : ""; }

std::string sum_text(const response::RecistTimepoint& row)
{
    if (row.sum) return mm_text(*row.sum);
    // A partial sum of nothing is no 0 mm.
    return row.partial_sum && row.partial_sum->hundredths > 0 ? ">= " + mm_text(*row.partial_sum) : "";
}

std::string best_text(const response::Decision& best)
{
    const auto text = response::name(best.category);
    return std::string(text.empty() ? "none" : text);
}

std::string sentence(const std::string& text)
{
    if (text.empty()) return "";
    std::string out = text;
    if (out.front() >= 'a' && out.front() <= 'z') out.front() = static_cast<char>(out.front() - 'a' + 'A');
    if (out.back() != '.' && out.back() != '!' && out.back() != '?') out += '.';
    return out;
}

std::string signed_percent(const std::optional<double>& value)
{
    if (!value) return "";
    const auto text = fixed(*value, 1);
    return *value > 0 && text != "0.0" ? "+" + text : text;
}

std::string review_state_of(const TimepointResult& timepoint)
{
    std::string common;
    for (const auto& lesion : timepoint.lesions) {
        if (lesion.review_state == "unreviewed") return "unreviewed";
        if (common.empty()) common = lesion.review_state;
        else if (common != lesion.review_state) common = "mixed";
    }
    return common.empty() ? "unreviewed" : common;
}

std::string review_state_of(const CaseResult& result)
{
    std::string common;
    for (const auto& timepoint : result.timepoints) {
        const auto state = review_state_of(timepoint);
        if (state == "unreviewed") return state;
        if (common.empty()) common = state;
        else if (common != state) common = "mixed";
    }
    return common.empty() ? "unreviewed" : common;
}

std::string band_text(const std::string& review_state)
{
    std::string state = review_state;
    for (auto& c : state) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return state + " - RESEARCH USE ONLY";
}

const TimepointResult* timepoint_named(const CaseResult& result, std::string_view id)
{
    for (const auto& timepoint : result.timepoints) {
        if (timepoint.id == id) return &timepoint;
    }
    return nullptr;
}

std::vector<Notice> notices_of(const LesionResult& lesion)
{
    std::vector<Notice> all;
    const auto add = [&all](const std::vector<Notice>& more) {
        for (const auto& notice : more) {
            if (std::find(all.begin(), all.end(), notice) == all.end()) all.push_back(notice);
        }
    };
    if (lesion.measurements) add(lesion.measurements->notices);
    add(lesion.notices);
    return all;
}

std::string interval_origin(const LesionResult& lesion, const std::string& quantity)
{
    const auto& origin = lesion.interval_origin;
    if (origin.calibrated_on.empty() || (!quantity.empty() && (", " + origin.stated + ",").find(", " + quantity + ",") != std::string::npos)) return "stated by the reader";
    return "calibrated on " + origin.calibrated_on + (origin.not_validated.empty() ? "" : "; not validated here: " + origin.not_validated);
}

std::string interval_text(const LesionResult& lesion, const std::string& quantity, int decimals)
{
    const auto found = lesion.intervals.find(quantity);
    return found == lesion.intervals.end() ? "" : fixed(found->second.low, decimals) + " to " + fixed(found->second.high, decimals);
}

std::string stem_of(const TimepointResult& timepoint, const LesionResult& lesion) { return file_name_of(timepoint.id) + "-" + file_name_of(lesion.lesion); }

}  // namespace retromass::outputs
