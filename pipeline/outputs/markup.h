#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/date.h"
#include "core/notice.h"

/// The few elements the report is made of; every text is escaped.
namespace retromass::outputs {

std::string tag(const std::string& text);
std::string paragraph(const std::string& text);
std::string cell(const std::string& text);
std::string day(const std::optional<Date>& date);
std::string number(const std::string& text);
std::string code(const Notice& notice);
std::string notice_list(const std::vector<Notice>& notices);

}  // namespace retromass::outputs
