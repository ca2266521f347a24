#include <iostream>
#include <memory>

#include "pipeline/cli/clock.h"
#include "pipeline/cli/commands.h"
#include "pipeline/outputs/outputs.h"

namespace retromass::cli {
namespace {

struct Options {
    std::string folder;
    outputs::SignParameters signature;
};

Status sign(const Options& options)
{
    auto parameters = options.signature;
    parameters.timestamp = timestamp_now();
    RETROMASS_TRY_ASSIGN(const auto lock, outputs::ResultLock::take(options.folder, "sign", parameters.timestamp, parameters.reader));
    RETROMASS_TRY_ASSIGN(const auto timepoints, outputs::sign_case(lock, parameters));
    for (const auto& timepoint : timepoints) std::cout << timepoint << ": signed by " << parameters.reader << ", " << parameters.role << ", " << parameters.timestamp << '\n';
    return Done{};
}

Status audit(const std::string& folder)
{
    RETROMASS_TRY_ASSIGN(const auto found, outputs::audit_case(folder));
    for (const auto& fault : found.faults) std::cout << fault << '\n';
    std::cout << found.events << " events, " << found.files << " files, " << found.signatures << " signatures: " << (found.faults.empty() ? "as written" : std::to_string(found.faults.size()) + " faults") << '\n';
    if (!found.faults.empty()) return Error{Code::verification_failed, folder + " is not what was written and signed", "cli"};
    return Done{};
}

}  // namespace

void add_sign(CLI::App& app, Context& context)
{
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("sign", "Sign a finished case: its reports become complete and verified, as new instances");
    command->add_option("RESULT", options->folder, "Result folder of `run`")->required();
    command->add_option("--reader", options->signature.reader, "Who signs")->required();
    command->add_option("--role", options->signature.role, "As what, e.g. radiologist")->required();
    command->add_option("--timepoint", options->signature.timepoint, "One time point (default: every one that is not signed)");
    command->add_option("--reason", options->signature.reason, "Why it is signed again; needed where the result changed after a signature");
    command->add_option("--uid-root", options->signature.uid_root, "Root of the UIDs that are made, e.g. your institution's")->capture_default_str();
    command->footer("Example: retromass sign result --reader \"Doe^Jane\" --role radiologist");
    command->callback([options, &context] {
        const auto status = sign(*options);
        if (!status) context.exit = complain(status.error());
    });
}

void add_audit(CLI::App& app, Context& context)
{
    auto folder = std::make_shared<std::string>();
    auto* command = app.add_subcommand("audit", "Check that a finished case is what was written, and its signed reports what was signed");
    command->add_option("RESULT", *folder, "Result folder of `run`")->required();
    command->footer("Exit code 4 where anything differs. Example: retromass audit result");
    command->callback([folder, &context] {
        const auto status = audit(*folder);
        if (!status) context.exit = complain(status.error());
    });
}

}  // namespace retromass::cli
