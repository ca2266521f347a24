#pragma once

#include <functional>
#include <vector>

#include "pipeline/outputs/outputs.h"
#include "pipeline/run/run.h"

/// What masks make likely of the lesions' identities. Suggestions alone: no mask, number or category follows from one, only the line of the
/// case file that each of them names.
namespace retromass::run {

/// Two lesions of one time point whose masks meet: their places in the list, the lower one first.
struct Contact {
    std::size_t first = 0;
    std::size_t second = 0;
    std::size_t voxels = 0;  ///< that both have
    std::size_t faces = 0;   ///< between a voxel of one and a voxel of the other
};
/// All there are, in the order of the list; null = no mask. The masks lie on one grid.
std::vector<Contact> contacts_of(const std::vector<const Mask*>& masks);

/// A lesion whose mask has two parts of 0.5 ml or more (a ball of 10 mm, the smallest lesion that is measured, has 0.52 ml) and had one at
/// most when it was last measured.
void suggest_splits(const CaseFile& file, std::vector<outputs::TimepointResult>& timepoints);

/// Two lesions whose masks meet, and did not at the last time point that shows both.
void suggest_mergers(const CaseFile& file, std::vector<outputs::TimepointResult>& timepoints);

/// A later scan laid on an earlier one, and whether that is believed around what a mask of the earlier one shows.
struct LaidOn {
    std::function<PatientPoint(PatientPoint)> to_earlier;
    std::function<bool(const Mask& earlier)> believed;
};
/// A lesion that lies where another one was, and not where it was itself.
void suggest_exchanges(const CaseFile& file, const outputs::TimepointResult& then, outputs::TimepointResult& now, const LaidOn& laid);
/// The same by a registration that is there already: nothing is registered for it.
void suggest_exchanges(const CaseFile& file, const outputs::TimepointResult& then, outputs::TimepointResult& now, const segmentation::Registration& registration);

}  // namespace retromass::run
