#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>

#include "pipeline/pacs/dcmtk/toolkit.h"
#include "pipeline/pacs/object_header.h"
#include "pipeline/pacs/pacs.h"

namespace retromass::pacs {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCallingAe = "CallingAE";

/// One object of each series; the node writes a folder a series.
std::vector<fs::path> one_of_each(const fs::path& study)
{
    std::vector<fs::path> out;
    std::error_code error;
    for (const auto& series : fs::directory_iterator(study, error)) {
        std::vector<fs::path> files;
        for (const auto& file : fs::directory_iterator(series.path(), error)) files.push_back(file.path());
        if (!files.empty()) out.push_back(*std::min_element(files.begin(), files.end()));
    }
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace

bool is_tag(const std::string& keyword)
{
    DcmTag tag;
    return keyword == kCallingAe || DcmTag::findTagFromName(keyword.c_str(), tag).good();
}

std::set<std::string> series_in(const fs::path& folder)
{
    silence_toolkit();
    std::set<std::string> out;
    std::error_code error;
    for (auto it = fs::recursive_directory_iterator(folder, error); !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
        const auto header = it->is_regular_file(error) ? read_object_header(it->path()) : Result<ObjectHeader>(Error{});
        if (header) out.insert(header->series_instance_uid);
    }
    return out;
}

std::map<std::string, std::vector<std::string>> study_tags(const fs::path& folder, const std::vector<std::string>& tags)
{
    silence_toolkit();
    std::map<std::string, std::vector<std::string>> out;
    for (const auto& file : one_of_each(folder)) {
        DcmFileFormat object;
        if (object.loadFileUntilTag(file.c_str(), EXS_Unknown, EGL_noChange, DCM_MaxReadLength, ERM_autoDetect, DCM_PixelData).bad()) continue;
        object.getDataset()->convertToUTF8();
        for (const auto& keyword : tags) {
            DcmTag tag;
            DcmItem* item = object.getDataset();
            if (keyword == kCallingAe) {
                tag = DCM_SourceApplicationEntityTitle;
                item = object.getMetaInfo();
            } else if (DcmTag::findTagFromName(keyword.c_str(), tag).bad()) {
                continue;
            }
            OFString value;
            auto& known = out[keyword];
            if (item->findAndGetOFStringArray(tag, value).good() && std::find(known.begin(), known.end(), value.c_str()) == known.end()) known.emplace_back(value.c_str());
        }
    }
    return out;
}

}  // namespace retromass::pacs
