#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace retromass::outputs {

/// The audit log of a case: one JSON object a line, which only grows. Each line names the SHA-256 of the line before (`previous`), so that
/// no line can be changed or taken out without breaking the chain.
class EventLog {
public:
    explicit EventLog(std::string text = {}) : text_(std::move(text)) {}
    void note(const std::string& time, const std::string& event, const nlohmann::ordered_json& more);
    const std::string& text() const { return text_; }
    /// Its lines as objects; what is none is null.
    std::vector<nlohmann::ordered_json> events() const;
    /// What is wrong with the chain, by line; empty where nothing is.
    std::vector<std::string> faults() const;

private:
    std::vector<std::string> lines() const;
    std::string text_;
};

}  // namespace retromass::outputs
