#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/outputs/report.h"

/// What moves in report.html: the slice viewer, the plot, and the form of a review. Without any of it the page says the same.
namespace retromass::outputs {

/// What the page's viewer shows of a time point: the CT round the lesions through the abdomen's window in 8 bits, and the masks on the same grid; both NIfTI, gzip, with the
/// middle of one lesion at the origin. Resampled: to be looked at, never to be measured.
struct Preview {
    std::string timepoint;
    std::string middle;        ///< the lesion whose middle it is
    std::string ct;
    std::string masks;
};
/// One a time point that has a mask; the same lesion lies in the middle wherever it was measured. `scratch` is a folder to write in; nothing is left there.
Result<std::vector<Preview>> previews_of(const CaseResult& result, const std::filesystem::path& scratch);

/// Whether the program was built with what viewer and plot need.
bool has_viewer();
/// `written` names the result, as the audit log does: a review of this page holds for it alone.
Moving moving_parts(const CaseResult& result, const std::vector<Preview>& previews, const std::string& written);

}  // namespace retromass::outputs
