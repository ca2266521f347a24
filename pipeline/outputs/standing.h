#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "core/result.h"

namespace retromass::outputs {

/// What readers have said so far of a result as it is now: of each measured lesion at each time point the last word counts.
struct Standing {
    struct Open {
        std::string timepoint;
        std::string lesion;
        std::string why;
    };
    std::size_t measured = 0;      ///< lesions, each time point for itself
    std::vector<Open> open;        ///< neither accepted by a named reader nor covered by a signature
    std::size_t edited = 0;        ///< nobody accepted them, but a reader made them
    std::set<std::string> readers; ///< whose words cover the others
    std::string last;              ///< the time of the last such word
    bool said = false;             ///< whether anybody said anything
    bool names = true;             ///< false where the people of the case are hidden
};
/// `written` is case.json, `events` its log.
Standing standing_of(const nlohmann::ordered_json& written, const std::vector<nlohmann::ordered_json>& events);

/// The page as the run or the signature left it, which provenance.json lists.
std::string page_as_written(std::string page);
/// That page with the standing in its bands, its title and its head.
std::string page_with(std::string as_written, const Standing& standing);

/// The report's page of a folder as its log has it stand now; empty where there is none to change.
std::string page_now(const std::filesystem::path& folder, const std::string& log);
/// Writes it.
Status show_standing(const std::filesystem::path& folder);
/// For whoever holds the folder's lock: ends what a program left that was killed between the log's and the page's taking their places. Half-written files of
/// the two go, and the page follows the log again, unless more than its standing differs from what was written: that is for an audit to tell.
Status settle(const std::filesystem::path& folder);

}  // namespace retromass::outputs
