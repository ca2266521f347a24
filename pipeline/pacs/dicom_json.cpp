#include "pipeline/pacs/dicom_json.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

namespace retromass::pacs {
namespace {

using nlohmann::json;

Error malformed(const char* what) { return {Code::malformed, std::string("the peer's answer is no DICOM JSON: ") + what, "pacs: dicomweb"}; }

/// The parser recurses over nothing, but destroying what it made does: a document nested deeper than any data set is refused.
constexpr int kDeepest = 64;

json parsed(std::string_view text)
{
    bool too_deep = false;
    const auto shallow = [&](int depth, json::parse_event_t, json&) {
        too_deep = too_deep || depth > kDeepest;
        return !too_deep;
    };
    auto out = json::parse(text.begin(), text.end(), shallow, false);
    return too_deep ? json(json::value_t::discarded) : out;
}

std::optional<Tag> tag_of(const std::string& key)
{
    Tag value = 0;
    constexpr std::size_t kDigits = 8;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), value, 16);
    if (key.size() != kDigits || error != std::errc{} || end != key.data() + key.size()) return std::nullopt;
    return value;
}

std::string text_of(const json& value)
{
    if (value.is_string()) return value.get<std::string>();
    if (value.is_number()) return value.dump();
    if (value.is_object() && value.contains("Alphabetic") && value["Alphabetic"].is_string()) return value["Alphabetic"].get<std::string>();
    return {};
}

/// The reasons inside the items of a sequence.
std::vector<int> reasons_in(const json& answer, const char* sequence, const char* reason)
{
    std::vector<int> out;
    if (!answer.is_object() || !answer.contains(sequence) || !answer[sequence].is_object() || !answer[sequence].contains("Value")) return out;
    for (const auto& item : answer[sequence]["Value"]) {
        if (!item.is_object() || !item.contains(reason) || !item[reason].is_object() || !item[reason].contains("Value")) continue;
        for (const auto& value : item[reason]["Value"]) {
            if (value.is_number_integer()) out.push_back(value.get<int>());
        }
    }
    return out;
}

}  // namespace

Result<std::vector<Attributes>> attributes_of_json(std::string_view text)
{
    const auto answers = parsed(text);
    if (!answers.is_array()) return malformed("expected an array");
    std::vector<Attributes> out;
    for (const auto& answer : answers) {
        if (!answer.is_object()) return malformed("expected objects in the array");
        Attributes attributes;
        for (const auto& [key, element] : answer.items()) {
            const auto which = tag_of(key);
            if (!which || !element.is_object() || !element.contains("Value") || !element["Value"].is_array()) continue;
            std::string values;
            bool first = true;
            for (const auto& value : element["Value"]) values += (std::exchange(first, false) ? "" : "\\") + text_of(value);
            attributes[*which] = values;
        }
        out.push_back(std::move(attributes));
    }
    return out;
}

Result<StowAnswer> stow_answer_of_json(std::string_view text)
{
    const auto answer = parsed(text);
    if (!answer.is_object()) return malformed("expected an object");
    StowAnswer out;
    constexpr const char* kReferenced = "00081199";
    if (answer.contains(kReferenced) && answer[kReferenced].is_object() && answer[kReferenced].contains("Value")) out.stored = answer[kReferenced]["Value"].size();
    out.failures = reasons_in(answer, "00081198", "00081197");
    out.warnings = reasons_in(answer, kReferenced, "00081196");
    return out;
}

}  // namespace retromass::pacs
