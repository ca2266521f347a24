#include "pipeline/outputs/markup.h"

#include "pipeline/outputs/words.h"

namespace retromass::outputs {

std::string tag(const std::string& text) { return "<span class=\"tag\">" + html(text) + "</span>"; }
std::string paragraph(const std::string& text) { return "<p>" + html(text) + "</p>\n"; }
std::string cell(const std::string& text) { return "<td>" + html(text) + "</td>"; }
std::string day(const std::optional<Date>& date) { return "<td class=\"d\">" + html(date_text(date)) + "</td>"; }
std::string number(const std::string& text) { return "<td class=\"n\">" + html(text.empty() ? "-" : text) + "</td>"; }
std::string code(const Notice& notice) { return "<span class=\"code\">" + html(name(notice.code)) + "</span>"; }

std::string notice_list(const std::vector<Notice>& notices)
{
    if (notices.empty()) return "";
    std::string out = "<ul>\n";
    for (const auto& notice : notices) out += "<li>" + code(notice) + ": " + html(notice.text) + "</li>\n";
    return out + "</ul>\n";
}

}  // namespace retromass::outputs
