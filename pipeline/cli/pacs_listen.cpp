#include <unistd.h>

#include <memory>

#include "pipeline/cli/commands.h"
#include "pipeline/cli/pacs_profile.h"
#include "pipeline/cli/received_study.h"
#include "pipeline/pacs/pacs.h"

namespace retromass::cli {
namespace {

struct Options {
    pacs::ListenParameters node;
    ReceivedStudyOptions study;
    std::string spool;
    std::string out;
    std::string templates;
    std::string config;
    std::string count_at;
    std::string send_to;
    std::string send = "reviewed";
    std::string tls_key;
    std::string tls_certificate;
    std::vector<std::string> tls_trusted;
};

/// One write a line: the node's processes share this stream.
void log_line(const std::string& line)
{
    const auto text = "retromass pacs listen: " + line + "\n";
    (void)!::write(STDERR_FILENO, text.data(), text.size());
}

Result<std::optional<pacs::Profile>> profile_named(const Options& options, const std::string& name)
{
    if (name.empty()) return std::optional<pacs::Profile>();
    RETROMASS_TRY_ASSIGN(auto profile, pacs_profile(options.config, name));
    return std::optional<pacs::Profile>(std::move(profile));
}

Status prepare(Options& options)
{
    auto& study = options.study;
    options.node.spool = options.spool;
    study.out = std::filesystem::absolute(options.out);
    study.send = options.send == "all" ? Return::all : options.send == "none" ? Return::none : Return::reviewed;
    if (options.tls_key.empty() != options.tls_certificate.empty()) return Error{Code::usage, "--tls-key and --tls-certificate belong together", "cli"};
    if (!options.tls_trusted.empty() && options.tls_key.empty()) return Error{Code::usage, "--tls-trust needs --tls-key and --tls-certificate: without them nothing is encrypted and nobody is checked", "cli"};
    if (!options.tls_key.empty()) options.node.tls = pacs::Tls{options.tls_key, options.tls_certificate, {options.tls_trusted.begin(), options.tls_trusted.end()}, !options.tls_trusted.empty()};
    RETROMASS_TRY_ASSIGN(study.count_at, profile_named(options, options.count_at));
    RETROMASS_TRY_ASSIGN(study.send_to, profile_named(options, options.send_to));
    if (!options.templates.empty()) {
        RETROMASS_TRY_ASSIGN(study.templates, run::read_templates(options.templates));
    }
    for (const auto& one : study.templates) {
        for (const auto& rule : one.rules) {
            for (const auto& wanted : rule) {
                if (!pacs::is_tag(wanted.first)) return Error{Code::case_file, "template " + one.name + ": match: '" + wanted.first + "' is no DICOM keyword (e.g. StudyDescription) and not CallingAE", "cli"};
            }
        }
    }
    RETROMASS_TRY(prepare_cases(study.out));
    log_line(study.templates.empty() ? "no templates: studies are kept, not measured" : std::to_string(study.templates.size()) + " templates");
    log_line(!study.send_to || study.send == Return::none ? "results stay here" : "results go to " + study.send_to->name + (study.send == Return::all ? ", reviewed or not" : " when a reader has accepted them"));
    return Done{};
}

Result<pacs::ListenReport> listen(Options& options)
{
    RETROMASS_TRY(prepare(options));
    pacs::NodeTasks tasks;
    tasks.study = [&](const pacs::ReceivedStudy& study) { return take_study(study, options.study); };
    if (options.study.send_to && options.study.send == Return::reviewed) tasks.between = [&] { return return_reviewed(options.study); };
    return pacs::listen(options.node, tasks, log_line);
}

}  // namespace

void add_pacs_listen(CLI::App& pacs, Context& context)
{
    auto options = std::make_shared<Options>();
    auto& node = options->node;
    auto* command = pacs.add_subcommand("listen", "A storage node: receives studies, runs the case template that fits each, keeps the results");
    command->add_option("--spool", options->spool, "Folder for what is received")->required();
    command->add_option("-o,--out", options->out, "Folder for cases and results")->required();
    command->add_option("--templates", options->templates, "Folder of case templates (docs/stages/pacs_listen.md); without it studies are kept only");
    command->add_option("--host", node.host, "Address to listen on")->capture_default_str();
    command->add_option("--port", node.port, "Port to listen on")->check(CLI::Range(1, 65535))->capture_default_str();
    command->add_option("--aet", node.ae_title, "Our AE title")->capture_default_str();
    command->add_option("--allow", node.callers, "Calling AE title that may send; repeat for more. Nobody else is served");
    command->add_option("--tls-key", options->tls_key, "Our private key (PEM): the node then speaks TLS only");
    command->add_option("--tls-certificate", options->tls_certificate, "Our certificate (PEM)");
    command->add_option("--tls-trust", options->tls_trusted, "Authority (PEM) that peers' certificates must come from; repeat for more. Without it any peer is let in");
    command->add_option("--config", options->config, "File of profiles (default ~/.config/retromass/pacs.yaml)");
    command->add_option("--find", options->count_at, "Profile of the source: a study is complete when it counts no more objects than came");
    command->add_option("--to", options->send_to, "Profile that results go to; without it they stay here");
    command->add_option("--send", options->send, "Which results go there: reviewed (accepted by a reader), all, none")->check(CLI::IsMember({"reviewed", "all", "none"}))->capture_default_str();
    command->add_flag("--allow-synthetic", options->study.allow_synthetic, "Return results of generated patients too");
    command->add_option("--quiet-after", node.quiet_s, "A study is complete when nothing came for so many seconds")->check(CLI::PositiveNumber)->capture_default_str();
    command->add_option("--idle", node.idle_s, "Seconds a peer may be silent")->check(CLI::PositiveNumber)->capture_default_str();
    command->add_option("--negotiation", node.negotiation_s, "Seconds from connection to association")->check(CLI::PositiveNumber)->capture_default_str();
    command->add_option("--association-time", node.association_s, "Seconds an association may last")->check(CLI::PositiveNumber)->capture_default_str();
    command->add_option("--associations", node.most_associations, "Associations at once")->check(CLI::PositiveNumber)->capture_default_str();
    command->add_option("--largest-object", node.largest_object, "Bytes of one object, e.g. 2GB")->transform(CLI::AsSizeValue(false))->capture_default_str();
    command->add_option("--quota", node.spool_quota, "Bytes of the spool")->transform(CLI::AsSizeValue(false))->capture_default_str();
    command->add_option("--keep-free", node.keep_free, "Bytes of the disk that stay free")->transform(CLI::AsSizeValue(false))->capture_default_str();
    command->add_option("--run-time", node.task_s, "Seconds a case may take")->check(CLI::PositiveNumber)->capture_default_str();
    command->add_option("--run-memory", node.task_memory, "Bytes of memory a case may take")->transform(CLI::AsSizeValue(false))->capture_default_str();
    command->add_option("--threads", options->study.threads, "Threads of a case (0 = all cores)")->check(CLI::NonNegativeNumber);
    command->add_flag("--once", node.once, "Stop when the first complete study is handled");
    command->footer("Stops at SIGTERM or Ctrl-C. Exit code 3: a study ended without a result.\nExample: retromass pacs listen --spool /data/spool -o /data/cases --templates /data/templates --allow CT1");
    command->callback([options, &context] {
        const auto report = listen(*options);
        context.exit = !report ? complain(report.error()) : report->failed ? Exit::some_failed : Exit::done;
    });
}

}  // namespace retromass::cli
