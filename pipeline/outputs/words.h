#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipeline/outputs/outputs.h"

/// Small texts that several outputs share.
namespace retromass::outputs {

/// One cell of a CSV line (RFC 4180): quoted where it must be.
std::string csv_cell(std::string_view text);
/// Codes of notices, each once, with blanks between.
std::string codes_of(const std::vector<Notice>& notices);
enum class TextKind { ascii, utf8, not_text };
/// What of characters a text needs; not_text holds control characters other than tab and line ends, or bytes that are no UTF-8.
TextKind kind_of(std::string_view text);
/// The text with a question mark for every byte that is no ASCII to print.
std::string printable(std::string_view text);
/// "2013-03-15", or "" without a date.
std::string date_text(const std::optional<Date>& date);
/// A recorded length with one decimal, two where it has them: columns line up.
std::string mm_text(Length length);
/// ">= " where the lesion is cut by the edge of the scan (docs/clinical.md 2.9), else nothing.
std::string at_least(const LesionResult& lesion);
/// The sum of diameters, or ">= " what was measured of an incomplete one; "" where nothing was.
std::string sum_text(const response::RecistTimepoint& row);
/// The most digits of a number that fit into the 16 characters of a DICOM decimal string.
std::string decimal_text(double value);
/// With a capital letter and a full stop.
std::string sentence(const std::string& text);
/// "+5.0" / "-63.6"; "" where unknown.
std::string signed_percent(const std::optional<double>& value);

/// "unreviewed" while one lesion is; the common state otherwise, else "mixed".
std::string review_state_of(const TimepointResult& timepoint);
std::string review_state_of(const CaseResult& result);
/// The band on every picture and page.
std::string band_text(const std::string& review_state);

const TimepointResult* timepoint_named(const CaseResult& result, std::string_view id);
/// Notices of a lesion: those of its measurements, then its own; each once.
std::vector<Notice> notices_of(const LesionResult& lesion);
/// What stands beside every interval of a quantity: the set it was calibrated on, and that the lesion is not like it; or that a reader states it. An empty quantity: of all that
/// no reader states.
std::string interval_origin(const LesionResult& lesion, const std::string& quantity);
/// "78.1 to 86.4"; "" without an interval.
std::string interval_text(const LesionResult& lesion, const std::string& quantity, int decimals);
/// Stem of a lesion's files at a time point.
std::string stem_of(const TimepointResult& timepoint, const LesionResult& lesion);

std::string measurements_csv(const CaseResult& result);
std::string response_csv(const CaseResult& result);

/// Best overall response; "none" where there was no baseline to respond to.
std::string best_text(const response::Decision& best);

}  // namespace retromass::outputs
