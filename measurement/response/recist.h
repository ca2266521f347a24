#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "measurement/response/outcome.h"

/// The single rules of RECIST 1.1 at one time point, as `assess` uses them (docs/stages/response.md).
namespace retromass::response {

enum class DiseaseKind { non_nodal, nodal, lytic_bone_with_soft_tissue, cystic_metastasis, simple_cyst, never_measurable };
enum class Imaging { ct_or_mr, chest_xray, caliper, never_measurable };
enum class Measurability { target_eligible, non_measurable, non_target_pathological, normal_node, not_a_lesion };

std::string_view name(Measurability value);  ///< TARGET_ELIGIBLE, NON_MEASURABLE, ...

/// What measurability is judged by.
struct MeasurabilityFacts {
    DiseaseKind kind = DiseaseKind::non_nodal;
    bool irradiated = false;
    bool progressed_since = false;       ///< progression shown after that irradiation
    Imaging imaging = Imaging::ct_or_mr;
    Length long_axis;
    Length short_axis;
    std::optional<Length> slice;         ///< slice thickness
};

/// "nodal", "blastic_bone", "nonnodal_irradiated_progressed", ... into kind and irradiation; nothing for an unknown word.
std::optional<MeasurabilityFacts> disease_named(std::string_view words);
/// CT, MR, XRAY, CALIPER, US and their usual synonyms; nothing for an unknown word.
std::optional<Imaging> imaging_named(std::string_view word);
/// Rules 1.1 to 1.6. Node slices follow the policy node_slice_rule.
Measurability measurability(const MeasurabilityFacts& facts, const Policies& policies = {});

/// A lesion that might become a target.
struct Candidate {
    std::string id;
    std::string organ;
    DiseaseKind kind = DiseaseKind::non_nodal;
    Length size;                         ///< longest diameter; short axis of a node
};
/// At most five targets, two an organ: the largest of each organ first, then by size (rule 2.5). All nodes are one organ, and
/// so are paired organs. Candidates below measurability are left out; ties keep the given order.
std::vector<Candidate> baseline_targets(std::span<const Candidate> candidates);

/// The sums a target response is judged by.
struct TargetSums {
    Length baseline;
    Length nadir;                        ///< smallest complete sum before, baseline included
    Length current;
    bool pr_stands = false;              ///< a PR was assigned earlier (and confirmed, where required)
};
enum class PrPersistence { per_timepoint, carry_forward };
/// Rule 0.3: integers cross-multiplied. Nadir 0 takes any growth of 5 mm or more as progression.
bool progressed(Length current, Length nadir);
bool responded(Length current, Length baseline);
/// PD, PR or SD by the sums alone; CR needs the lesions.
Category target_from_sums(const TargetSums& sums, PrPersistence persistence);

/// What one target was at one time point.
struct TargetReading {
    std::string id;
    bool nodal = false;
    std::vector<Length> parts;           ///< the recorded length, or the fragments' lengths; empty = not evaluable
    bool merged = false;                 ///< into another target: adds 0
    std::string reason;                  ///< why not evaluable
};
/// 0 mm for absent, 5 mm for too small, the recorded length else; nothing where it cannot be known, with the reason
/// (clinical.md 5.1). `observation` may be null: nothing was stated.
TargetReading target_reading(const Lesion& lesion, const Observation* observation);
/// Rule 4.1, for a reading that was evaluated: nothing left, of a node less than 10 mm; a merged one is read in its partner.
bool gone(const TargetReading& reading);
/// What earlier time points left behind.
struct TargetHistory {
    Length baseline;
    Length nadir;
    bool pr_stands = false;
    bool overall_cr = false;             ///< overall CR was assigned: any disease now is progression
};
struct TargetOutcome {
    Category category = Category::ne;
    std::optional<Length> sum;           ///< empty = incomplete
    Length partial;                      ///< of what was evaluated
    std::string rule;
    std::string reason;
};
/// What of it is needed to judge many times: without a word on why.
struct TargetVerdict {
    Category category = Category::ne;
    std::optional<Length> sum;
    Length partial;
};
/// Rules 3.1 to 4.7. The order is not evaluable, CR, PD, PR, SD.
TargetVerdict target_verdict(std::span<const TargetReading> readings, const TargetHistory& history, PrPersistence persistence);
/// The same with the rule and the reason.
TargetOutcome target_response(std::span<const TargetReading> readings, const TargetHistory& history, PrPersistence persistence);

/// Rule 7: target, non-target and new lesions into one. Equivocal new lesions count as none.
Outcome overall_response(Category target, Category non_target, NewLesions new_lesions);

}  // namespace retromass::response
