#pragma once

#include <filesystem>
#include <string>
#include <system_error>

#include "core/result.h"

/// Case folders as a whole: a change is made beside the folder under another name, which then takes its place. Nobody sees half of it.
namespace retromass::outputs {

/// A folder under a temporary name; removed unless it was kept.
class PartialFolder {
public:
    explicit PartialFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}
    ~PartialFolder()
    {
        std::error_code ignored;
        if (!kept_) std::filesystem::remove_all(folder_, ignored);
    }
    PartialFolder(const PartialFolder&) = delete;
    PartialFolder& operator=(const PartialFolder&) = delete;
    const std::filesystem::path& path() const { return folder_; }
    void keep() { kept_ = true; }

private:
    std::filesystem::path folder_;
    bool kept_ = false;
};

Error io_error(const std::string& what, const std::error_code& error);
/// `<folder>.<suffix>-<pid>` in the same place.
std::filesystem::path beside(const std::filesystem::path& folder, const std::string& suffix);
/// Gives the partial folder the name of `folder`, in place of what is there.
Status move_into_place(PartialFolder& partial, const std::filesystem::path& folder);

/// Brings a file or a folder to the disk.
Status sync(const std::filesystem::path& path);
Status write_text(const std::filesystem::path& file, const std::string& text);
/// The bytes of a file; empty where there is none.
std::string text_of_file(const std::filesystem::path& file);
/// Keeps a DICOM object that is replaced under `dicom/superseded` of `into`, named after its content, and answers that name relative to the case folder.
Result<std::string> keep_superseded(const std::filesystem::path& object, const std::filesystem::path& into);

}  // namespace retromass::outputs
