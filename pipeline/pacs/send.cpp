#include <algorithm>
#include <chrono>
#include <thread>

#include "pipeline/pacs/peer.h"

namespace retromass::pacs {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWhere = "pacs: send";
constexpr std::chrono::seconds kPause{1};  ///< before a dropped association is opened again
constexpr const char* kDicomdir = "1.2.840.10008.1.3.10";

/// The DICOM files below a folder in the order of their names; of a result folder those of `dicom`, without what a correction replaced.
Status add_folder(const fs::path& folder, std::vector<Outgoing>& objects, SendReport& report)
{
    std::error_code failed;
    const bool result = fs::exists(folder / "case.json", failed) && fs::is_directory(folder / "dicom", failed);
    std::vector<fs::path> files;
    for (auto it = fs::recursive_directory_iterator(result ? folder / "dicom" : folder, failed); !failed && it != fs::recursive_directory_iterator(); it.increment(failed)) {
        if (result && it->is_directory() && it->path().filename() == "superseded") it.disable_recursion_pending();
        else if (it->is_regular_file()) files.push_back(it->path());
    }
    if (failed) return Error{Code::io, folder.string() + " cannot be read: " + failed.message(), kWhere};
    std::sort(files.begin(), files.end());
    for (const auto& file : files) {
        auto header = read_object_header(file);
        if (header && header->sop_class_uid != kDicomdir) objects.push_back({file, *std::move(header)});
        else report.set_aside.push_back(file);
    }
    return Done{};
}

Result<std::vector<Outgoing>> objects_of(const std::vector<fs::path>& paths, SendReport& report)
{
    std::vector<Outgoing> objects;
    for (const auto& path : paths) {
        std::error_code ignored;
        if (fs::is_directory(path, ignored)) {
            RETROMASS_TRY(add_folder(path, objects, report));
        } else {
            RETROMASS_TRY_ASSIGN(const auto header, read_object_header(path));
            objects.push_back({path, header});
        }
    }
    if (objects.empty()) return Error{Code::not_dicom, "there is no DICOM file to send", kWhere};
    return objects;
}

}  // namespace

Result<SendReport> send(const Profile& profile, const std::vector<fs::path>& paths, const SendOptions& options, const Progress& progress)
{
    SendReport report;
    RETROMASS_TRY_ASSIGN(auto objects, objects_of(paths, report));
    const auto synthetic = std::count_if(objects.begin(), objects.end(), [](const Outgoing& object) { return object.header.synthetic; });
    if (synthetic > 0 && !options.allow_synthetic) {
        return Error{Code::synthetic_patient, std::to_string(synthetic) + " of " + std::to_string(objects.size()) + " objects are of a generated patient; nothing was sent. --allow-synthetic sends them to a PACS that is for tests", kWhere};
    }
    const auto peer = peer_of(profile);
    std::string why;
    for (int attempt = 0; attempt < options.attempts; ++attempt) {
        if (attempt > 0) std::this_thread::sleep_for(kPause);
        const auto status = peer->store(objects, progress);
        if (status) break;
        why = status.error().message;
        const bool none_settled = std::none_of(objects.begin(), objects.end(), [](const Outgoing& object) { return object.settled; });
        const bool last = attempt + 1 == options.attempts || status.error().code != Code::network;
        if (none_settled && last) return status.error();
        if (last) break;
        // The object that the connection broke on goes last, so that it does not keep the others from being sent.
        const auto first = std::find_if(objects.begin(), objects.end(), [](const Outgoing& object) { return !object.settled; });
        std::rotate(first, first + 1, objects.end());
    }
    for (const auto& object : objects) {
        if (object.sent) ++report.sent;
        if (object.sent && !object.answer.empty()) report.warnings.push_back(object.file.string() + ": " + object.answer);
        if (!object.sent) report.failed.push_back({object.file, object.settled ? object.answer : why});
    }
    return report;
}

}  // namespace retromass::pacs
