#pragma once

#include <string_view>

/// What a page with moving parts embeds; built in where RETROMASS_WEB is on, else empty but for the page's own scripts.
namespace retromass::outputs::web {

std::string_view niivue();       ///< shows volumes (BSD-2-Clause)
std::string_view uplot();        ///< draws plots (MIT)
std::string_view uplot_style();
std::string_view page();         ///< the report's own: sets up both
std::string_view review();       ///< ... and its form of a review, which needs neither
std::string_view licences();     ///< of all that is embedded

}  // namespace retromass::outputs::web
