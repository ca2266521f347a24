#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/outputs/document.h"
#include "pipeline/outputs/outputs.h"

namespace retromass::outputs {

/// Pictures already written, by stem: file names in `folder`.
struct Pictures {
    std::filesystem::path folder;
    std::map<std::string, std::vector<std::string>> of;      ///< key images: axial, coronal, sagittal
    std::map<std::string, std::vector<std::string>> sheets;  ///< the same planes of all time points of a lesion at one scale
    std::map<std::string, std::string> surfaces;  ///< in 3-D, all time points of a lesion at one scale
    std::string no_surfaces;                      ///< why there are none, where they were asked for
    std::map<std::string, std::string> remarks;  ///< on the DICOM objects of a time point
};

/// The contact sheet of a lesion: at each time point the planes of its key images, all at one scale. Answers the file names by stem.
Result<std::map<std::string, std::vector<std::string>>> write_sheet(const std::filesystem::path& folder, const CaseResult& result, const std::string& lesion);

/// What the report says; nothing in it is measured or decided here.
Document report_document(const CaseResult& result, const Pictures& pictures);

/// What a page holds beside its document, to be used rather than read. Markup is put in as it stands; of scripts only these run.
struct Moving {
    std::string style;
    std::string after_answer;
    std::string at_end;
    std::vector<std::pair<std::string, std::string>> data;   ///< by the id of its element: base64 or JSON
    std::vector<std::string> scripts;
    std::string licences;
};

/// The self-contained page: pictures inline, nothing loaded from elsewhere, which it tells the browser to hold to.
Result<std::string> html_of(const Document& document, const Pictures& pictures, const Moving& moving = {});
/// The document on A4 paper; `date` (YYYY-MM-DD) is that of the file. The same bytes for the same document.
Status write_pdf(const std::filesystem::path& file, const Document& document, const Pictures& pictures, const std::string& date);

/// Long axis and volume over time with the treatments; nothing where nothing was measured.
Drawing size_drawing(const CaseResult& result);

/// The paragraph to be pasted into a radiology report: lengths in mm as in the DICOM SR, and in cm.
std::string report_paragraph(const CaseResult& result);

/// The parts of the body that have a file of their own; each adds nothing where it has nothing to say.
std::vector<Block> lesion_blocks(const CaseResult& result, const Pictures& pictures);
std::vector<Block> criteria_blocks(const CaseResult& result);
std::vector<Block> comparability_blocks(const CaseResult& result);
std::vector<Block> identity_blocks(const CaseResult& result);
std::vector<Block> kinetics_blocks(const CaseResult& result);

/// "abuts left kidney; texture heterogeneous; hydronephrosis left; ascites none", as the reader put it.
std::string description_text(const Description& description);
/// Warnings the reader must see first: lesions not evaluable and notices, each once, with where it applies.
std::vector<Remark> attention_of(const CaseResult& result);
std::vector<Remark> remarks_of(const std::vector<Notice>& notices);
/// "PR", "baseline" or "-".
std::string category_text(const response::RecistTimepoint& row);
std::string category_text(const response::CriterionTimepoint& point);
std::string inputs_text(const response::Decision& decision);

extern const char* const kReportStyle;

}  // namespace retromass::outputs
