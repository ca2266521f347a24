// write_codes [FILE]: prints docs/codes.md, made from the table in core/codes.cpp; with FILE, says whether that file is
// up to date and shows the first line that is not.

#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "core/codes.h"

namespace {

std::string_view word(retromass::Disposition disposition)
{
    switch (disposition) {
        case retromass::Disposition::refuse:
            return "refuse";
        case retromass::Disposition::exclude:
            return "exclude";
        case retromass::Disposition::notice:
            return "notice";
    }
    return "";
}

std::string page()
{
    std::ostringstream out;
    out << "# Codes\n\n"
           "Every notice, exclusion and refusal there is. This page is made from `core/codes.cpp` by `write_codes`; a test "
           "fails\n"
           "where the two differ.\n\n"
           "- *refuse*: the case, or this part of it, is not computed; the message says what to do.\n"
           "- *exclude*: one file is set aside and listed; the rest goes on.\n"
           "- *notice*: computed, and the notice stands on every output made from it.\n\n"
           "`--accept CODE` is a reader's word that the finding is known and the result is wanted nevertheless; it is printed "
           "on\n"
           "every output. Only the codes marked so can be accepted.\n\n"
           "| code | what happens | `--accept` | meaning |\n|---|---|---|---|\n";
    for (const auto& row : retromass::code_table()) {
        out << "| `" << row.name << "` | " << word(row.disposition) << " | " << (row.acceptable ? "yes" : "") << " | "
            << row.meaning << " |\n";
    }
    return out.str();
}

}  // namespace

int main(int argc, char** argv)
{
    const std::string wanted = page();
    if (argc < 2) {
        std::cout << wanted;
        return 0;
    }
    std::ifstream file(argv[1]);
    std::istringstream expected(wanted);
    std::string have;
    std::string want;
    for (int line = 1;; ++line) {
        const bool more_want = static_cast<bool>(std::getline(expected, want));
        const bool more_have = static_cast<bool>(std::getline(file, have));
        if (!more_want && !more_have) return 0;
        if (more_want != more_have || want != have) {
            std::cout << argv[1] << ':' << line << ": differs from core/codes.cpp; run `write_codes > " << argv[1] << "`\n"
                      << "  is:     " << (more_have ? have : "(end)") << "\n  should: " << (more_want ? want : "(end)") << '\n';
            return 1;
        }
    }
}
