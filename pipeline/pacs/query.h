#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "pipeline/pacs/pacs.h"

/// Questions and answers of C-FIND and QIDO-RS, which differ in their encoding only.
namespace retromass::pacs {

/// Group and element as one number, e.g. 0x0020'000D.
using Tag = std::uint32_t;
/// Values as UTF-8 text, several joined by backslash. In a question an empty value asks for the attribute.
using Attributes = std::map<Tag, std::string>;

namespace tag {
inline constexpr Tag sop_class_uid = 0x0008'0016;
inline constexpr Tag sop_instance_uid = 0x0008'0018;
inline constexpr Tag study_date = 0x0008'0020;
inline constexpr Tag accession_number = 0x0008'0050;
inline constexpr Tag modality = 0x0008'0060;
inline constexpr Tag modalities_in_study = 0x0008'0061;
inline constexpr Tag study_description = 0x0008'1030;
inline constexpr Tag series_description = 0x0008'103E;
inline constexpr Tag patient_name = 0x0010'0010;
inline constexpr Tag patient_id = 0x0010'0020;
inline constexpr Tag study_instance_uid = 0x0020'000D;
inline constexpr Tag series_instance_uid = 0x0020'000E;
inline constexpr Tag series_number = 0x0020'0011;
inline constexpr Tag series_in_study = 0x0020'1206;
inline constexpr Tag instances_in_study = 0x0020'1208;
inline constexpr Tag instances_in_series = 0x0020'1209;
}  // namespace tag

enum class Depth { patient, study, series, image };

/// The keys of one level (PS3.4 C.6.1.1, C.6.2.1); of the levels above only the unique key of the study.
Attributes keys_of(const Query& query, Depth depth);

Match match_of(const Attributes& answer);

/// Whether the answer is one that was asked for: a peer may ignore every key but the unique ones (PS3.4 C.2.2.1.3). What it
/// did not return, and names outside ASCII, are left to the peer.
bool fits(const Query& query, const Match& match);

/// `*` any characters, `?` one; letters of either case are equal.
bool matches(std::string_view pattern, std::string_view text);

/// PS3.5 9: digits and dots, 64 characters at most. What is no UID never becomes part of a path.
bool is_uid(std::string_view text);

}  // namespace retromass::pacs
