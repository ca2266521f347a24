#pragma once

#include <array>
#include <set>
#include <string>
#include <vector>

namespace retromass::batch {

/// Why a case is shown to a reader, the greatest need first.
enum class Rank { refusal, flag, threshold, disagreement, random };

/// One case on the page.
struct ReviewCard {
    struct Picture {
        std::string name;
        std::string png;
    };
    std::string id;
    std::string state;
    std::string hash;                          ///< of what is shown
    Rank rank = Rank::random;
    std::vector<std::string> why;
    std::vector<std::array<std::string, 8>> figures;  ///< time point, lesion, status, long, short, craniocaudal, volume, category
    std::vector<Picture> pictures;
    std::string report;                        ///< from the page's folder; empty = none
    std::vector<std::string> timepoints;       ///< a prompt may be given for
    std::vector<std::string> lesions;
    bool synthetic = false;
};

struct ReviewPage {
    std::string plan_sha256;
    std::string reader;
    std::vector<ReviewCard> cards;
    std::set<std::string> protocols;           ///< that the results looked at were made under
    int not_run = 0;
    int decided_before = 0;
    int not_shown = 0;                         ///< nothing speaks against them
    int later = 0;                             ///< to be looked at on the next page, once these are decided
};

/// The page: pictures inside, nothing loaded from outside, and the decisions as JSON that the page fills and saves (docs/stages/batch.md).
std::string review_html(const ReviewPage& page);

}  // namespace retromass::batch
