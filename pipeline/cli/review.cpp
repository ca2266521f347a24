#include <iostream>
#include <memory>

#include "pipeline/cli/clock.h"
#include "pipeline/cli/commands.h"
#include "pipeline/outputs/outputs.h"

namespace retromass::cli {
namespace {

Status take_over(const std::string& file, const std::string& folder)
{
    const auto time = timestamp_now();
    RETROMASS_TRY_ASSIGN(const auto lock, outputs::ResultLock::take(folder, "review apply", time));
    RETROMASS_TRY_ASSIGN(const auto reviews, outputs::apply_reviews(lock, file, time));
    for (const auto& review : reviews) {
        std::cout << review.timepoint << ", lesion " << review.lesion << ": " << review.state << " by " << review.reader << (review.needs_prompt ? "; needs a prompt" : "") << (review.comment.empty() ? "" : ": " + review.comment) << '\n';
    }
    return Done{};
}

}  // namespace

void add_review(CLI::App& app, Context& context)
{
    auto* review = app.add_subcommand("review", "Take over what readers decided in report.html");
    review->require_subcommand(1);
    auto file = std::make_shared<std::string>();
    auto folder = std::make_shared<std::string>();
    auto* command = review->add_subcommand("apply", "Note the decisions of a saved review in the audit log of the result");
    command->add_option("FILE", *file, "What report.html saved")->required();
    command->add_option("RESULT", *folder, "Result folder of `run`, the one whose report was reviewed")->required();
    command->footer("Exit code 4 where the review is of another or a superseded result. Example: retromass review apply review-P-1-0a1b2c3d.json result");
    command->callback([file, folder, &context] {
        const auto status = take_over(*file, *folder);
        if (!status) context.exit = complain(status.error());
    });
}

}  // namespace retromass::cli
