#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "pipeline/outputs/outputs.h"

namespace retromass::outputs {

/// Key images already written, by stem: file names in `folder`.
struct Pictures {
    std::filesystem::path folder;
    std::map<std::string, std::vector<std::string>> of;
    std::map<std::string, std::string> remarks;  ///< on the DICOM objects of a time point
};

/// The self-contained page: pictures inline, no script, nothing loaded from elsewhere.
Result<std::string> report_html(const CaseResult& result, const Pictures& pictures);

/// Long axis and volume over time with the treatments, as inline SVG; empty where nothing was measured.
std::string size_plot_svg(const CaseResult& result);

/// Sections beside RECIST 1.1; each empty where it has nothing to say.
std::string criteria_section(const CaseResult& result);
std::string comparability_section(const CaseResult& result);
std::string identity_section(const CaseResult& result);
std::string kinetics_section(const CaseResult& result);

/// Warnings the reader must see first: lesions not evaluable and notices, each once, with where it applies.
std::vector<std::string> attention_of(const CaseResult& result);

extern const char* const kReportStyle;

}  // namespace retromass::outputs
