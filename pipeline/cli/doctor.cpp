#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>
#include <system_error>
#include <thread>

#include "core/units.h"
#include "pipeline/batch/batch.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/pacs_profile.h"
#include "pipeline/outputs/outputs.h"
#include "pipeline/pacs/pacs.h"
#ifdef RETROMASS_WITH_VIEWER
#include "viewer/view.h"
#endif

namespace retromass::cli {
namespace {

namespace fs = std::filesystem;

constexpr double kMemory_gb = 4;  ///< one case of several large studies: volume, crop and window of each step
constexpr double kDisk_gb = 2;    ///< a hundred case folders of one study

struct Options {
    std::string folder = ".";
    std::string config;
    std::string profile;
    bool pacs = false;
    bool json = false;
};

/// One thing that was looked at.
struct Check {
    std::string what;
    enum class Verdict { good, optional, wrong } verdict = Verdict::good;
    std::string found;
    std::string fix;  ///< where it is not good
};

const char* word(Check::Verdict verdict) { return verdict == Check::Verdict::good ? "good" : verdict == Check::Verdict::optional ? "missing" : "wrong"; }

double available_memory_gb()
{
    std::ifstream info("/proc/meminfo");
    for (std::string key; info >> key;) {
        double kibibytes = 0;
        if (key == "MemAvailable:" && info >> kibibytes) return kibibytes * 1024 / 1e9;
    }
    return 0;
}

Check memory()
{
    const double gb = available_memory_gb();
    Check out{"memory", Check::Verdict::good, fixed(gb, 1) + " GB free, " + std::to_string(std::thread::hardware_concurrency()) + " cores", ""};
    if (gb >= kMemory_gb) return out;
    out.verdict = Check::Verdict::wrong;
    out.fix = "large studies need " + fixed(kMemory_gb, 0) + " GB and more: end other programs, or run fewer cases at once (batch run --jobs 1)";
    return out;
}

Check disk(const fs::path& folder)
{
    std::error_code error;
    const auto space = fs::space(folder, error);
    if (error) return {"disk", Check::Verdict::wrong, folder.string() + ": " + error.message(), "name a folder that is there: --folder FOLDER"};
    const double gb = static_cast<double>(space.available) / 1e9;
    Check out{"disk", Check::Verdict::good, fixed(gb, 1) + " GB free in " + folder.string(), ""};
    if (gb >= kDisk_gb) return out;
    out.verdict = Check::Verdict::wrong;
    out.fix = "make room, or name another folder: --folder FOLDER";
    return out;
}

Check locks(const fs::path& folder)
{
    const auto usable = batch::check_folder(folder);
    if (usable) return {"folder", Check::Verdict::good, "files in " + folder.string() + " can be written, locked, synchronised and renamed", ""};
    return {"folder", Check::Verdict::wrong, usable.error().message, "plans and results need a folder that can be written, on a file system with locks (NFS 4, or 3 with lockd)"};
}

Check fonts()
{
    const auto family = outputs::font_family();
    if (family == "DejaVu Sans") return {"fonts", Check::Verdict::good, family, ""};
    return {"fonts", Check::Verdict::wrong, family.empty() ? "none" : family + " in place of DejaVu Sans", "install fonts-dejavu-core: without it pictures differ from those of other machines, or have no letters"};
}

Check dictionary()
{
    const int known = outputs::attributes_known();
    if (known > 0) return {"dictionary", Check::Verdict::good, std::to_string(known) + " DICOM attributes", ""};
    const char* const named = std::getenv("DCMDICTPATH");
    return {"dictionary", Check::Verdict::wrong, named ? "none of DICOM's attributes is known by DCMDICTPATH=" + std::string(named) : "DICOM's data dictionary is not found",
            named ? "unset DCMDICTPATH, or let it name DCMTK's dicom.dic: no DICOM object can be written without" : "install the package of DCMTK's library again (libdcmtk17), or let DCMDICTPATH name its dicom.dic: no DICOM object can be written without"};
}

Check display()
{
#ifdef RETROMASS_WITH_VIEWER
    const auto opens = viewer::check_display();
    if (opens) return {"display", Check::Verdict::good, "opens", ""};
    return {"display", Check::Verdict::optional, opens.error().message, "only `retromass view` needs one; reports and batches do not"};
#else
    return {"display", Check::Verdict::optional, "built without the viewer", "only `retromass view` needs one; reports and batches do not"};
#endif
}

Check cluster()
{
    const auto said = batch::ask_cluster();
    if (said) return {"slurm", Check::Verdict::good, std::regex_replace(*said, std::regex("\n"), "; "), ""};
    const auto& why = said.error().message;
    return {"slurm", Check::Verdict::optional, why.substr(0, why.find('\n')), "only `batch run --engine slurm` needs it: install slurm-client and slurm.conf of your cluster; where they are there, slurmctld has to run on the host that slurm.conf names, and munged here with the cluster's key"};
}

Check pacs_answer(const Options& options)
{
    const std::string fix = "docs/stages/pacs.md says how a profile is written; the PACS has to know our title and address";
    const auto profile = pacs_profile(options.config, options.profile);
    if (!profile && !options.pacs) return {"pacs", Check::Verdict::optional, profile.error().message, "only `retromass pacs` needs a profile"};
    if (!profile) return {"pacs", Check::Verdict::wrong, profile.error().message, fix};
    pacs::Query nobody;
    nobody.study_instance_uid = "2.25.0";  // asks whether it answers; there is no such study
    const auto answered = pacs::find(*profile, nobody);
    if (answered) return {"pacs", Check::Verdict::good, profile->name + " answers", ""};
    return {"pacs", Check::Verdict::wrong, profile->name + ": " + answered.error().message, fix};
}

Exit examine(const Options& options)
{
    const std::vector<Check> checks{memory(), disk(options.folder), locks(options.folder), fonts(), dictionary(), display(), cluster(), pacs_answer(options)};
    bool wrong = false;
    auto listed = nlohmann::ordered_json::array();
    for (const auto& check : checks) {
        wrong = wrong || check.verdict == Check::Verdict::wrong;
        listed.push_back({{"what", check.what}, {"state", word(check.verdict)}, {"found", check.found}, {"fix", check.fix}});
        if (options.json) continue;
        std::cout << std::string(word(check.verdict)) << std::string(9 - std::string(word(check.verdict)).size(), ' ') << check.what << ": " << check.found << '\n';
        if (!check.fix.empty()) std::cout << "         " << check.fix << '\n';
    }
    if (options.json) {
        const nlohmann::ordered_json out{{"schema", "retromass-doctor/1"}, {"version", RETROMASS_VERSION}, {"good", !wrong}, {"checks", listed}};
        std::cout << out.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
    } else {
        std::cout << (wrong ? "something has to be put right before cases are run here\n" : "this machine is fit to run cases\n");
    }
    return wrong ? Exit::some_failed : Exit::done;
}

}  // namespace

void add_doctor(CLI::App& app, Context& context)
{
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("doctor", "Looks at this machine and says what to put right: memory, disk, locks, fonts, DICOM's dictionary, display, Slurm, PACS");
    command->add_option("--folder", options->folder, "Where plans and results are to lie")->capture_default_str();
    auto* profile = command->add_option("--profile", options->profile, "Also whether this PACS answers");
    auto* config = command->add_option("--config", options->config, "File of PACS profiles");
    command->add_flag("--json", options->json, "As JSON");
    command->footer("Exit code 3 where something is wrong; what is only missing, and needed by few, is not. Example: retromass doctor --folder /data/plans");
    command->callback([options, profile, config, &context] {
        options->pacs = profile->count() + config->count() > 0;
        context.exit = examine(*options);
    });
}

}  // namespace retromass::cli
