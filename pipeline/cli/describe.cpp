#include <algorithm>
#include <iostream>
#include <memory>

#include "pipeline/cli/commands.h"

namespace retromass::cli {
namespace {

std::vector<const CLI::App*> shown(const CLI::App& app)
{
    auto all = app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
    return {all.begin(), all.end()};
}

std::vector<const CLI::Option*> options_of(const CLI::App& app)
{
    auto all = app.get_options([](const CLI::Option* option) { return !option->get_group().empty(); });
    return {all.begin(), all.end()};
}

/// A text in a page of roff: a backslash, a hyphen and a line's first dot are its own signs.
std::string roff(const std::string& text)
{
    std::string out;
    for (const char c : text) {
        if (c == '\\') out += "\\e";
        else if (c == '-') out += "\\-";
        else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) out += std::string("\\&") + c;
        else out += c;
    }
    return out;
}

void write_page_of(const CLI::App& command, const std::string& path)
{
    std::cout << ".SS " << roff(path) << '\n' << roff(command.get_description()) << '\n';
    for (const auto* option : options_of(command)) {
        const auto name = option->get_positional() ? option->get_name(true) : option->get_name(false, true);
        std::cout << ".TP\n.B " << roff(name) << '\n' << roff(option->get_description()) << '\n';
    }
    if (!command.get_footer().empty()) std::cout << ".PP\n" << roff(command.get_footer()) << '\n';
    for (const auto* below : shown(command)) write_page_of(*below, path + " " + below->get_name());
}

void write_man_page(const CLI::App& app)
{
    std::cout << ".TH RETROMASS 1 \"\" \"retromass " RETROMASS_VERSION "\"\n.SH NAME\nretromass \\- serial CT studies to tumour measurements\n"
                 ".SH SYNOPSIS\n.B retromass\n.I SUBCOMMAND\n[options]\n.SH DESCRIPTION\n"
              << roff(app.get_description()) << "\n.SH SUBCOMMANDS\n";
    for (const auto* command : shown(app)) write_page_of(*command, command->get_name());
    std::cout << ".SH EXIT STATUS\n.TP\n.B 0\nall done\n.TP\n.B 1\ninternal error\n.TP\n.B 2\nusage\n.TP\n.B 3\nsome cases failed, or something is wrong or missing\n.TP\n.B 4\ninput refused\n";
}

std::string words_of(const CLI::App& command)
{
    std::string out;
    for (const auto* below : shown(command)) out += below->get_name() + " ";
    for (const auto* option : options_of(command)) {
        for (const auto& name : option->get_lnames()) out += "--" + name + " ";
    }
    return out;
}

void write_cases_of(const CLI::App& command, const std::string& path)
{
    std::cout << "        '" << path << "') words='" << words_of(command) << "' ;;\n";
    for (const auto* below : shown(command)) write_cases_of(*below, path + (path.empty() ? "" : " ") + below->get_name());
}

/// Subcommands and options by what stands before; file names elsewhere.
void write_completion(const CLI::App& app)
{
    std::cout << "# bash completion of retromass, made from its table of commands\n"
                 "_retromass() {\n"
                 "    local word path='' words='' current=${COMP_WORDS[COMP_CWORD]}\n"
                 "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
                 "        [[ $word == [a-z]* && $word != */* && $word != *.* ]] || break\n"
                 "        path=\"${path:+$path }$word\"\n"
                 "    done\n"
                 "    while :; do\n"
                 "        case $path in\n";
    write_cases_of(app, "");
    std::cout << "        esac\n"
                 "        [[ -n $words || -z $path ]] && break\n"
                 "        [[ $path == *' '* ]] && path=${path% *} || path=''\n"
                 "    done\n"
                 "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
                 "}\n"
                 "complete -o default -F _retromass retromass\n";
}

}  // namespace

void add_describe(CLI::App& app)
{
    auto what = std::make_shared<std::string>();
    auto* command = app.add_subcommand("describe", "The table of commands as a man page or a completion for bash");
    command->group("");  // for the build and for packagers; not a user's command
    command->add_option("AS", *what, "man or bash")->required()->check(CLI::IsMember({"man", "bash"}));
    command->callback([what, &app] {
        if (*what == "man") write_man_page(app);
        else write_completion(app);
    });
}

}  // namespace retromass::cli
