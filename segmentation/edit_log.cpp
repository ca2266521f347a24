#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <variant>

#include "segmentation/segment.h"

namespace retromass::segmentation {
namespace {

constexpr std::string_view kHeader = "retromass-edits 1";
constexpr std::string_view kStart = "on";

struct Row {
    Edit::Kind kind;
    std::string_view name;
    std::size_t points;    ///< how many; of a contour at least
    bool mm;               ///< whether a length follows
    std::string_view form; ///< for messages
};
using enum Edit::Kind;
constexpr std::array kRows{
    Row{add_sphere, "add-sphere", 1, true, "add-sphere x y z radius"},
    Row{remove_sphere, "remove-sphere", 1, true, "remove-sphere x y z radius"},
    Row{add_contour, "add-contour", 3, false, "add-contour x y z x y z x y z ..."},
    Row{remove_contour, "remove-contour", 3, false, "remove-contour x y z x y z x y z ..."},
    Row{fill_between, "fill-between", 2, false, "fill-between x y z x y z"},
    Row{smooth, "smooth", 0, true, "smooth sigma"},
    Row{keep_component, "keep-component", 1, false, "keep-component x y z"},
    Row{undo, "undo", 0, false, "undo"},
};

bool is_contour(Edit::Kind kind) { return kind == add_contour || kind == remove_contour; }

std::vector<std::string_view> words_of(std::string_view line)
{
    std::vector<std::string_view> out;
    constexpr std::string_view space = " \t\r";
    for (auto from = line.find_first_not_of(space); from != line.npos; from = line.find_first_not_of(space)) {
        line.remove_prefix(from);
        const auto length = std::min(line.find_first_of(space), line.size());
        out.push_back(line.substr(0, length));
        line.remove_prefix(length);
    }
    return out;
}

std::optional<double> number_of(std::string_view word)
{
    double value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc{} || end != word.data() + word.size() || !std::isfinite(value)) return std::nullopt;
    return value;
}

void add_number(std::string& out, double value)
{
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(1, ' ').append(digits.data(), end);
}

/// The edit on a line; a text is why there is none.
std::variant<Edit, std::string> edit_of(const std::vector<std::string_view>& words)
{
    for (const auto& row : kRows) {
        if (row.name != words[0]) continue;
        const std::string form = "expected '" + std::string(row.form) + "'";
        std::vector<double> numbers;
        for (std::size_t i = 1; i < words.size(); ++i) {
            const auto number = number_of(words[i]);
            if (!number) return std::string(words[i]) + " is no number; " + form;
            numbers.push_back(*number);
        }
        Edit edit{row.kind, {}, 0};
        if (row.mm) {
            if (numbers.empty() || !(numbers.back() > 0)) return form + " with a length above 0 mm at its end";
            edit.mm = numbers.back();
            numbers.pop_back();
        }
        const auto points = numbers.size() / 3;
        if (numbers.size() % 3 != 0 || points < row.points || (points > row.points && !is_contour(row.kind))) return form;
        for (std::size_t i = 0; i < numbers.size(); i += 3) edit.points.push_back({numbers[i], numbers[i + 1], numbers[i + 2]});
        return edit;
    }
    std::string names;
    for (const auto& row : kRows) names += (names.empty() ? "" : ", ") + std::string(row.name);
    return std::string(words[0]) + " is no edit; there are " + names;
}

std::string line_of(const Edit& edit)
{
    std::string out;
    for (const auto& row : kRows) {
        if (row.kind != edit.kind) continue;
        out = row.name;
        for (const auto& p : edit.points) {
            for (const double x : {p.x, p.y, p.z}) add_number(out, x);
        }
        if (row.mm) add_number(out, edit.mm);
    }
    return out;
}

}  // namespace

Result<EditLog> read_edits(std::string_view text)
{
    EditLog out;
    int number = 0;
    bool headed = false;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        ++number;
        const auto fault = [&](const std::string& why) { return Error{Code::malformed, "line " + std::to_string(number) + " of the edits: " + why, "segmentation: read_edits"}; };
        const auto words = words_of(line);
        if (words.empty() || words[0].front() == '#') continue;
        if (!headed) {
            if (words_of(kHeader) != words) return fault("expected '" + std::string(kHeader) + "'");
            headed = true;
        } else if (words[0] == kStart) {
            if (words.size() != 2 || !out.start.empty() || !out.edits.empty()) return fault("expected 'on FINGERPRINT' once, before the first edit");
            out.start = words[1];
        } else {
            auto edit = edit_of(words);
            if (const auto* why = std::get_if<std::string>(&edit)) return fault(*why);
            out.edits.push_back(std::get<Edit>(std::move(edit)));
        }
    }
    if (!headed) return Error{Code::malformed, "the edits do not begin with '" + std::string(kHeader) + "'", "segmentation: read_edits"};
    return out;
}

std::string text_of(const EditLog& log)
{
    std::string out(kHeader);
    out += '\n';
    if (!log.start.empty()) out += std::string(kStart) + ' ' + log.start + '\n';
    for (const auto& edit : log.edits) out += line_of(edit) + '\n';
    return out;
}

}  // namespace retromass::segmentation
