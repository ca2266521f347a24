#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "pipeline/cli/commands.h"

using namespace retromass;

/// What a program that was unpacked (tools/make_tarball.sh) brings along lies beside it; what the user has set counts first.
static void look_beside_the_program()
{
    namespace fs = std::filesystem;
    std::error_code error;
    const auto folder = fs::read_symlink("/proc/self/exe", error).parent_path().parent_path() / "share" / "retromass";
    for (const auto& [name, file] : {std::pair{"DCMDICTPATH", "dicom.dic"}, std::pair{"FONTCONFIG_FILE", "fonts.conf"}}) {
        if (fs::exists(folder / file, error)) ::setenv(name, (folder / file).c_str(), 0);
    }
}

/// The command without its number of threads, which changes no result: a case folder is the same byte for byte for any.
static std::string as_recorded(int argc, char** argv)
{
    std::string out = "retromass";
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--threads") ++i;
        else if (!word.starts_with("--threads=")) out += " " + std::string(word);
    }
    return out;
}

int main(int argc, char** argv)
{
    look_beside_the_program();
    CLI::App app{
        "Retromass turns serial CT studies into tumour measurements a radiologist will sign.\n"
        "Research use, not for clinical decisions without review.",
        "retromass"};
    app.set_version_flag("--version", "retromass " RETROMASS_VERSION);
    app.require_subcommand(1);
    app.failure_message(CLI::FailureMessage::help);
    app.footer("retromass SUBCOMMAND --help shows an example. Exit codes: 0 done, 1 internal error, 2 usage, 3 some cases failed, 4 input refused.");

    cli::Context context;
    context.command_line = as_recorded(argc, argv);
    cli::add_demo(app, context);
    cli::add_series(app, context);
    cli::add_init(app, context);
    cli::add_segment(app, context);
    cli::add_measure(app, context);
    cli::add_edit(app, context);
    cli::add_marks(app, context);
    cli::add_assess(app, context);
    cli::add_run(app, context);
    cli::add_qc(app, context);
    cli::add_sdtm(app, context);
    cli::add_compare(app, context);
    cli::add_qualify(app, context);
    cli::add_batch(app, context);
    cli::add_sign(app, context);
    cli::add_audit(app, context);
    cli::add_review(app, context);
#ifdef RETROMASS_WITH_VIEWER
    cli::add_view(app, context);
#endif
    cli::add_pacs(app, context);
    cli::add_phantom(app, context);
    cli::add_doctor(app, context);
    cli::add_describe(app);

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error, std::cout, std::cerr);
        return code == 0 ? 0 : static_cast<int>(cli::Exit::usage);
    } catch (const std::bad_alloc&) {
        return static_cast<int>(cli::complain(Error{Code::memory, "there is not enough memory for this; --dry-run says what a case needs", "cli"}));
    } catch (const std::exception& error) {
        std::cerr << "retromass: internal error: " << error.what() << '\n';
        return static_cast<int>(cli::Exit::internal);
    }
    return static_cast<int>(context.exit);
}
