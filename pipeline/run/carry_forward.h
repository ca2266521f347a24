#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/outputs/outputs.h"
#include "pipeline/run/run.h"

namespace retromass::run {

/// A lesion of which a time point says nothing, found again from the one before, or why it is not.
struct CarriedForward {
    std::string from;                                     ///< time point
    std::optional<segmentation::Carried> found;
    std::string refusal;                                  ///< asks for a prompt
};

/// Carries lesions to one time point from those before it. Each earlier scan is registered once, and only where a lesion asks for it.
class CarryForward {
public:
    CarryForward(const CaseFile& file, const std::vector<outputs::TimepointResult>& before, const RunParameters& parameters) : file_(file), before_(before), parameters_(parameters) {}

    /// Empty where there is nothing to carry: no earlier mask, or carrying is switched off. Fails with cancelled alone.
    Result<std::optional<CarriedForward>> find(const CaseLesion& lesion, const outputs::TimepointResult& now, const Progress& progress);
    /// The registration with the latest time point that a lesion asked for; none where no lesion did.
    struct Registered {
        std::size_t from = 0;                             ///< time point
        const segmentation::Registration* registration = nullptr;
    };
    std::optional<Registered> last_registration() const;

private:
    std::string why_not(const CaseLesion& lesion, std::size_t from, const outputs::TimepointResult& now) const;

    const CaseFile& file_;
    const std::vector<outputs::TimepointResult>& before_;
    const RunParameters& parameters_;
    std::map<std::size_t, Result<segmentation::Registration>> registrations_;   ///< by the earlier time point
};

}  // namespace retromass::run
