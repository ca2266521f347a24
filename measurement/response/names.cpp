#include <array>
#include <utility>

#include "measurement/response/recist.h"

namespace retromass::response {
namespace {

constexpr std::array<std::pair<Category, std::string_view>, 17> kCategories{{
    {Category::cr, "CR"}, {Category::pr, "PR"}, {Category::sd, "SD"}, {Category::pd, "PD"}, {Category::ne, "NE"},
    {Category::non_cr_non_pd, "NON-CR/NON-PD"}, {Category::na, "NA"}, {Category::ned, "NED"}, {Category::none, ""},
    {Category::nd, "ND"}, {Category::missing, "MISSING"}, {Category::icr, "iCR"}, {Category::ipr, "iPR"}, {Category::isd, "iSD"},
    {Category::iupd, "iUPD"}, {Category::icpd, "iCPD"}, {Category::non_icr_non_iupd, "NON-iCR/NON-iUPD"},
}};

}  // namespace

std::string_view name(Category value)
{
    for (const auto& [category, text] : kCategories) {
        if (category == value) return text;
    }
    return "";
}

std::optional<Category> category_named(std::string_view text)
{
    for (const auto& [category, known] : kCategories) {
        if (known == text) return category;
    }
    return std::nullopt;
}

std::string_view name(Role value)
{
    switch (value) {
    case Role::target: return "target";
    case Role::non_target: return "non-target";
    case Role::new_lesion: return "new";
    }
    return "";
}

std::string_view name(LesionStatus value)
{
    switch (value) {
    case LesionStatus::measured: return "measured";
    case LesionStatus::absent: return "absent";
    case LesionStatus::too_small: return "too-small";
    case LesionStatus::not_evaluable: return "not-evaluable";
    case LesionStatus::present: return "present";
    case LesionStatus::increased: return "increased";
    case LesionStatus::unequivocal_progression: return "unequivocal-progression";
    case LesionStatus::equivocal: return "equivocal";
    case LesionStatus::merged: return "merged";
    case LesionStatus::resected: return "resected";
    case LesionStatus::normal_node: return "normal-node";
    }
    return "";
}

std::string_view name(NewLesions value)
{
    switch (value) {
    case NewLesions::none: return "none";
    case NewLesions::equivocal: return "equivocal";
    case NewLesions::unequivocal: return "unequivocal";
    case NewLesions::not_assessed: return "not-assessed";
    }
    return "";
}

std::string_view name(Measurability value)
{
    switch (value) {
    case Measurability::target_eligible: return "TARGET_ELIGIBLE";
    case Measurability::non_measurable: return "NON_MEASURABLE";
    case Measurability::non_target_pathological: return "NON_TARGET_PATHOLOGICAL";
    case Measurability::normal_node: return "NORMAL_NODE";
    case Measurability::not_a_lesion: return "NOT_A_LESION";
    }
    return "";
}

}  // namespace retromass::response
