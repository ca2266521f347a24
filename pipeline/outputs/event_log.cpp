#include "pipeline/outputs/event_log.h"

#include <sstream>

#include "pipeline/outputs/outputs.h"

namespace retromass::outputs {

using nlohmann::ordered_json;

std::vector<std::string> EventLog::lines() const
{
    std::vector<std::string> out;
    std::istringstream in(text_);
    for (std::string line; std::getline(in, line);) out.push_back(std::move(line));
    return out;
}

void EventLog::note(const std::string& time, const std::string& event, const ordered_json& more)
{
    const auto before = lines();
    ordered_json line{{"time", time}, {"event", event}};
    line.update(more);
    line["previous"] = before.empty() ? "" : sha256_of_text(before.back());
    if (!text_.empty() && text_.back() != '\n') text_ += '\n';
    text_ += line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::vector<ordered_json> EventLog::events() const
{
    std::vector<ordered_json> out;
    for (const auto& line : lines()) {
        auto event = ordered_json::parse(line, nullptr, false);
        out.push_back(event.is_object() ? std::move(event) : ordered_json());
    }
    return out;
}

std::vector<std::string> EventLog::faults() const
{
    std::vector<std::string> out;
    const auto all = lines();
    const auto read = events();
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto where = "events.jsonl, line " + std::to_string(i + 1);
        const auto link = read[i].is_object() ? read[i].find("previous") : read[i].end();
        if (!read[i].is_object()) out.push_back(where + " is no event");
        else if (link == read[i].end() || !link->is_string()) out.push_back(where + " does not name the line before");
        else if (*link != (i == 0 ? std::string() : sha256_of_text(all[i - 1]))) out.push_back(where + " names another line before it than is there");
    }
    if (!text_.empty() && text_.back() != '\n') out.push_back("events.jsonl ends within a line");
    return out;
}

}  // namespace retromass::outputs
