#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "core/units.h"
#include "pipeline/trial/case_record.h"
#include "pipeline/trial/trial.h"

namespace retromass::trial {
namespace {

namespace fs = std::filesystem;

constexpr double kLeastShare = 0.25;  // of the smaller mask that two readers' masks of one lesion share: neighbours that touch share less

struct DrawnLesion {
    Mask mask;
    std::vector<Index> inside;                 ///< its voxels: masks are compared by these few, not by all there are
    double ml = 0;
};
/// The masks of one time point, on the grid they were written on.
struct Masks {
    ingest::LabelVolume labels;
    std::map<std::string, DrawnLesion> of;     ///< by lesion
};

/// The record of the same period. A line of treatment is known by its number; observations are all of line 0, and only their names tell one from another.
template <typename Record>
const Record* same_period(const std::vector<const Record*>& records, const Record& wanted)
{
    const auto found = std::find_if(records.begin(), records.end(), [&](const Record* r) { return r->line == wanted.line && (r->line > 0 || r->period == wanted.period); });
    return found == records.end() ? nullptr : *found;
}

double voxel_ml(const VolumeGeometry& g, int slice) { return g.column_spacing_mm() * g.row_spacing_mm() * g.slab_mm(slice) / 1000; }

DrawnLesion drawn(Mask mask, const VolumeGeometry& g)
{
    DrawnLesion out;
    const auto size = g.size();
    for (int k = 0; k < size.slices; ++k) {
        for (int r = 0; r < size.rows; ++r) {
            for (int c = 0; c < size.columns; ++c) {
                if (mask[mask.offset(c, r, k)] == 0) continue;
                out.inside.push_back({c, r, k});
                out.ml += voxel_ml(g, k);
            }
        }
    }
    out.mask = std::move(mask);
    return out;
}

Result<Masks> masks_of(const CaseRecord& record, const TimepointRecord& timepoint)
{
    Masks out;
    const auto file = record.folder / "dicom" / (outputs::file_name_of(timepoint.id) + "-seg.dcm");
    if (!fs::exists(file)) return out;
    RETROMASS_TRY_ASSIGN(out.labels, ingest::read_labels(file));
    for (const auto& label : out.labels.present) {
        RETROMASS_TRY_ASSIGN(auto mask, ingest::mask_on_grid(out.labels, label.value, out.labels.geometry));
        out.of.emplace(label.name, drawn(std::move(mask), out.labels.geometry));
    }
    return out;
}

/// What of `a` lies in `b`, ml: voxel centres by position, so that two series of one study can be compared.
double shared_ml(const DrawnLesion& a, const VolumeGeometry& ga, const Mask& b, const VolumeGeometry& gb)
{
    double out = 0;
    for (const auto& voxel : a.inside) {
        const auto at = gb.to_index(ga.to_patient(voxel));
        const auto column = std::lround(at.column), row = std::lround(at.row), slice = std::lround(at.slice);
        if (column < 0 || row < 0 || slice < 0 || column >= gb.size().columns || row >= gb.size().rows || slice >= gb.size().slices) continue;
        if (b[b.offset(static_cast<int>(column), static_cast<int>(row), static_cast<int>(slice))] != 0) out += voxel_ml(ga, voxel.slice);
    }
    return out;
}

struct Overlap {
    double shared = 0;
    double both = 0;                           ///< volume of A plus that of B
    double smaller = 0;
    double dice() const { return both > 0 ? 2 * shared / both : 0; }
};

class CaseComparison {
public:
    CaseComparison(const CaseRecord& a, const CaseRecord& b, ReaderComparison& out) : a_(a), b_(b), out_(out) {}

    Status add()
    {
        match_timepoints();
        RETROMASS_TRY(pair_lesions());
        compare_sums();
        compare_categories();
        return Done{};
    }

private:
    void match_timepoints()
    {
        std::set<std::string> taken;
        for (const auto& first : a_.timepoints) {
            const TimepointRecord* partner = nullptr;
            const auto try_by = [&](auto same) {
                for (const auto& second : b_.timepoints) {
                    if (!partner && !taken.contains(second.id) && same(second)) partner = &second;
                }
            };
            try_by([&](const auto& t) { return !first.study_uid.empty() && t.study_uid == first.study_uid; });
            if (first.study_uid.empty()) {
                try_by([&](const auto& t) { return t.study_uid.empty() && !first.date.empty() && t.date == first.date; });
                try_by([&](const auto& t) { return t.study_uid.empty() && first.date.empty() && t.id == first.id; });
            }
            if (!partner) {
                out_.not_compared.push_back(a_.case_id + ": time point " + first.id + " is of reader A only");
                continue;
            }
            taken.insert(partner->id);
            timepoints_.emplace_back(&first, partner);
        }
        for (const auto& second : b_.timepoints) {
            if (!taken.contains(second.id)) out_.not_compared.push_back(a_.case_id + ": time point " + second.id + " is of reader B only");
        }
    }

    Status pair_lesions()
    {
        std::map<std::pair<std::string, std::string>, Overlap> total;
        std::vector<std::map<std::pair<std::string, std::string>, Overlap>> at(timepoints_.size());
        for (std::size_t t = 0; t < timepoints_.size(); ++t) {
            RETROMASS_TRY_ASSIGN(const auto first, masks_of(a_, *timepoints_[t].first));
            RETROMASS_TRY_ASSIGN(const auto second, masks_of(b_, *timepoints_[t].second));
            if (!first.of.empty() && !second.of.empty() && first.labels.frame_of_reference_uid != second.labels.frame_of_reference_uid) {
                out_.not_compared.push_back(a_.case_id + ": the masks of time point " + timepoints_[t].first->id + " lie in two frames of reference");
                continue;
            }
            for (const auto& [id, mask] : first.of) masked_a_.insert(id);
            for (const auto& [id, mask] : second.of) masked_b_.insert(id);
            for (const auto& [ia, mask_a] : first.of) {
                for (const auto& [ib, mask_b] : second.of) {
                    Overlap overlap;
                    overlap.shared = shared_ml(mask_a, first.labels.geometry, mask_b.mask, second.labels.geometry);
                    overlap.both = mask_a.ml + mask_b.ml;
                    overlap.smaller = std::min(mask_a.ml, mask_b.ml);
                    at[t][{ia, ib}] = overlap;
                    auto& sum = total[{ia, ib}];
                    sum.shared += overlap.shared;
                    sum.both += overlap.both;
                    sum.smaller += overlap.smaller;
                }
            }
        }
        std::vector<std::tuple<double, std::string, std::string>> candidates;
        for (const auto& [ids, overlap] : total) {
            if (overlap.shared >= kLeastShare * overlap.smaller) candidates.emplace_back(-overlap.dice(), ids.first, ids.second);
        }
        std::sort(candidates.begin(), candidates.end());
        std::set<std::string> of_b;
        for (const auto& [dice, ia, ib] : candidates) {
            if (partner_.contains(ia) || of_b.contains(ib)) continue;
            partner_[ia] = ib;
            of_b.insert(ib);
        }
        for (std::size_t t = 0; t < timepoints_.size(); ++t) {
            for (const auto& [ia, ib] : partner_) {
                const auto found = at[t].find({ia, ib});
                if (found != at[t].end()) add_pair(t, ia, ib, found->second.dice());
            }
        }
        list_unpaired(a_, 'A', masked_a_, [&](const std::string& id) { return partner_.contains(id); });
        list_unpaired(b_, 'B', masked_b_, [&](const std::string& id) { return of_b.contains(id); });
        return Done{};
    }

    void add_pair(std::size_t t, const std::string& ia, const std::string& ib, double dice)
    {
        const auto& [first, second] = timepoints_[t];
        LesionPair pair;
        pair.case_id = a_.case_id;
        pair.timepoint_a = first->id;
        pair.timepoint_b = second->id;
        pair.lesion_a = ia;
        pair.lesion_b = ib;
        if (const auto* listed = a_.lesion(ia)) pair.role_a = listed->role;
        if (const auto* listed = b_.lesion(ib)) pair.role_b = listed->role;
        pair.same_series = first->series_uid == second->series_uid;
        pair.dice = dice;
        const auto* of_a = first->lesion(ia);
        const auto* of_b = second->lesion(ib);
        for (const auto* of : {of_a, of_b}) {
            if (!of || (of->status == "measured" && !of->cut)) continue;
            out_.not_compared.push_back(a_.case_id + ": the sizes of " + of->id + " at time point " + (of == of_a ? first->id : second->id) + ", reader " + (of == of_a ? 'A' : 'B') +
                                        (of->cut ? ": the scan cuts it, so that they are lower bounds" : ": it is " + of->status));
        }
        if (of_a && of_b && of_a->status == "measured" && of_b->status == "measured" && !of_a->cut && !of_b->cut) {
            for (const auto& [quantity, value] : of_a->quantities) {
                const auto other = of_b->quantities.find(quantity);
                if (other != of_b->quantities.end()) pair.quantities[quantity] = {value, other->second};
            }
        }
        out_.pairs.push_back(std::move(pair));
    }

    template <class Paired>
    void list_unpaired(const CaseRecord& record, char reader, const std::set<std::string>& masked, Paired paired)
    {
        for (const auto& lesion : record.lesions) {
            if (paired(lesion.id)) continue;
            out_.unpaired.push_back({record.case_id, reader, lesion.id, lesion.role, masked.contains(lesion.id) ? "no mask of the other reader overlaps it by a quarter of the smaller one" : "has no mask that could be compared"});
        }
    }

    const TimepointRecord* partner_of(const std::string& timepoint) const
    {
        for (const auto& [first, second] : timepoints_) {
            if (first->id == timepoint) return second;
        }
        return nullptr;
    }

    /// The row of B for a row of A: the same study within the same treatment line.
    const ResponseRecord* partner_row(const std::vector<ResponseRecord>& rows, const ResponseRecord& row) const
    {
        const auto* timepoint = partner_of(row.timepoint);
        std::vector<const ResponseRecord*> there;
        for (const auto& other : rows) {
            if (timepoint && other.timepoint == timepoint->id) there.push_back(&other);
        }
        return same_period(there, row);
    }

    void compare_sums()
    {
        for (const auto& row : a_.recist) {
            const auto* other = partner_row(b_.recist, row);
            if (other && row.sum && other->sum) sums.emplace_back(row.sum->as_mm(), other->sum->as_mm());
        }
    }

    /// The targets that are not the other's targets too.
    std::string other_targets() const
    {
        std::string out;
        const auto add = [&](char reader, const std::string& id) { out += (out.empty() ? "" : ", ") + id + " of " + reader; };
        std::set<std::string> shared;
        for (const auto& lesion : a_.lesions) {
            if (lesion.role != "target") continue;
            const auto found = partner_.find(lesion.id);
            const auto* other = found == partner_.end() ? nullptr : b_.lesion(found->second);
            if (other && other->role == "target") shared.insert(other->id);
            else add('A', lesion.id);
        }
        for (const auto& lesion : b_.lesions) {
            if (lesion.role == "target" && !shared.contains(lesion.id)) add('B', lesion.id);
        }
        return out;
    }

    void reasons_of(Discordance& found, const ResponseRecord& a, const ResponseRecord& b) const
    {
        const auto add = [&](const char* reason, const std::string& text) {
            found.reasons.emplace_back(reason);
            found.text += (found.text.empty() ? "" : "; ") + text;
        };
        if (a_.policies != b_.policies || a_.primary != b_.primary) add("rules", "the two results were made under different rules");
        const auto selected = other_targets();
        const bool evaluable = a.target != "NE" && b.target != "NE";
        if (a.target != b.target && !evaluable) add("not-evaluable", "the targets of one reader are not evaluable (" + a.target + ", " + b.target + ")");
        if (a.target != b.target && evaluable) {
            const auto both = a.target + " by A (" + change(a) + "), " + b.target + " by B (" + change(b) + ")";
            if (!selected.empty()) add("selection", "targets that are not both readers': " + selected + "; " + both);
            else add("measurement", "the same targets, " + both);
        }
        if ((a.new_lesions == "unequivocal") != (b.new_lesions == "unequivocal")) add("new-lesion", "new lesions " + stated(a.new_lesions) + " by A, " + stated(b.new_lesions) + " by B");
        // Non-target disease moves a category only where it progressed, was not evaluated, or is left beside targets that are gone.
        const auto decides = [](const ResponseRecord& row) { return row.non_target == "PD" || row.non_target == "NE" || row.target == "CR" || row.target == "NA"; };
        if (a.non_target != b.non_target && (decides(a) || decides(b))) add("non-target", "non-target disease " + a.non_target + " by A, " + b.non_target + " by B");
        if (a.new_lesions.empty() != b.new_lesions.empty()) add("not-evaluable", "one reader did not state whether there are new lesions");
        if (found.reasons.empty()) add("history", "this study reads alike; earlier ones or the criterion's own quantities differ");
    }

    static std::string stated(const std::string& new_lesions) { return new_lesions.empty() ? "not stated" : new_lesions; }
    static std::string change(const ResponseRecord& row) { return row.from_baseline_pct ? fixed(*row.from_baseline_pct, 1) + " % from baseline" : "no complete sum"; }

    void compare_categories()
    {
        for (std::size_t i = 0; i < a_.leading.size(); ++i) {
            const auto& row = a_.leading[i];
            const auto* other = partner_row(b_.leading, row);
            if (row.is_baseline || row.overall.empty()) continue;
            if (!other || other->is_baseline || other->overall.empty()) {
                out_.not_compared.push_back(a_.case_id + ": time point " + row.timepoint + " (" + row.period + ") has no category of reader B");
                continue;
            }
            out_.categories.emplace_back(row.overall, other->overall);
            if (row.overall == other->overall) continue;
            Discordance found{a_.case_id, row.timepoint, other->timepoint, a_.timepoint(row.timepoint)->date, row.period, row.overall, other->overall, {}, {}};
            reasons_of(found, row, *other);
            out_.discordances.push_back(std::move(found));
        }
        for (const auto& period : a_.periods) {
            std::vector<const PeriodRecord*> theirs;
            for (const auto& one : b_.periods) theirs.push_back(&one);
            const auto* other = same_period(theirs, period);
            if (!other) out_.not_compared.push_back(a_.case_id + ": best response of " + period.period + " has no counterpart of reader B");
            if (!other || other->best == period.best) continue;
            out_.discordances.push_back({a_.case_id, "", "", "", period.period, period.best, other->best, {"best-overall-response"}, "best overall response by RECIST 1.1 differs"});
        }
    }

    const CaseRecord& a_;
    const CaseRecord& b_;
    ReaderComparison& out_;
    std::vector<std::pair<const TimepointRecord*, const TimepointRecord*>> timepoints_;
    std::map<std::string, std::string> partner_;   ///< lesion of A -> lesion of B
    std::set<std::string> masked_a_, masked_b_;

public:
    std::vector<std::pair<double, double>> sums;
};

void add_agreement(ReaderComparison& out, const std::string& quantity, const std::vector<std::pair<double, double>>& values, bool ratio)
{
    std::vector<double> differences;
    for (const auto& [a, b] : values) {
        if (!ratio) differences.push_back(b - a);
        else if (a > 0 && b > 0) differences.push_back(std::log(b / a));
    }
    auto found = bland_altman(differences);
    if (!found) return;
    if (ratio) {
        for (auto* estimate : {&found->bias, &found->lower, &found->upper}) *estimate = {std::exp(estimate->value), std::exp(*estimate->low), std::exp(*estimate->high)};
    }
    out.agreement.push_back({quantity, *found});
}

std::string joined(const std::vector<std::string>& words, const char* between = " ")
{
    std::string out;
    for (const auto& word : words) out += (out.empty() ? "" : between) + word;
    return out;
}

}  // namespace

Result<ReaderComparison> compare_readers(const fs::path& a, const fs::path& b)
{
    RETROMASS_TRY_ASSIGN(const auto of_a, read_case_records({a}));
    RETROMASS_TRY_ASSIGN(const auto of_b, read_case_records({b}));
    RETROMASS_TRY(one_set_of_rules({&of_a, &of_b}));
    ReaderComparison out;
    std::vector<std::pair<double, double>> sums;
    for (const auto& [id, first] : of_a) {
        const auto second = of_b.find(id);
        if (second == of_b.end()) {
            out.not_compared.push_back("case " + id + " is of reader A only");
            continue;
        }
        ++out.cases;
        const auto& theirs = second->second.protocol;
        out.protocols[id] = first.protocol == theirs ? theirs : "A: " + (first.protocol.empty() ? "none" : first.protocol) + "; B: " + (theirs.empty() ? "none" : theirs);
        CaseComparison comparison(first, second->second, out);
        RETROMASS_TRY(comparison.add());
        sums.insert(sums.end(), comparison.sums.begin(), comparison.sums.end());
    }
    for (const auto& [id, record] : of_b) {
        if (!of_a.contains(id)) out.not_compared.push_back("case " + id + " is of reader B only");
    }
    if (out.cases == 0) return Error{Code::usage, "no case is in both " + a.string() + " and " + b.string(), "trial: compare"};
    const auto values = [&](const char* quantity) {
        std::vector<std::pair<double, double>> all;
        for (const auto& pair : out.pairs) {
            const auto found = pair.quantities.find(quantity);
            if (found != pair.quantities.end()) all.push_back(found->second);
        }
        return all;
    };
    add_agreement(out, "long_axis_mm", values("long_axis_mm"), false);
    add_agreement(out, "long_axis_ratio", values("long_axis_mm"), true);
    add_agreement(out, "volume_ml", values("volume_ml"), false);
    add_agreement(out, "volume_ratio", values("volume_ml"), true);
    add_agreement(out, "sum_mm", sums, false);
    out.kappa = cohens_kappa(out.categories);
    return out;
}

std::map<std::string, std::string> comparison_tables(const ReaderComparison& comparison)
{
    const auto protocol_of = [&](const std::string& case_id) {
        const auto found = comparison.protocols.find(case_id);
        return found == comparison.protocols.end() ? std::string() : found->second;
    };
    std::set<std::string> all;
    for (const auto& [unused, protocol] : comparison.protocols) all.insert(protocol);
    const auto protocols = joined({all.begin(), all.end()}, " | ");
    auto pairs = outputs::csv_line({"case", "timepoint_a", "timepoint_b", "lesion_a", "lesion_b", "role_a", "role_b", "same_series", "dice", "long_axis_a_mm", "long_axis_b_mm", "volume_a_ml", "volume_b_ml", "protocol"});
    for (const auto& p : comparison.pairs) {
        const auto of = [&](const char* quantity, bool first, int decimals) {
            const auto found = p.quantities.find(quantity);
            return found == p.quantities.end() ? std::string() : fixed(first ? found->second.first : found->second.second, decimals);
        };
        pairs += outputs::csv_line({p.case_id, p.timepoint_a, p.timepoint_b, p.lesion_a, p.lesion_b, p.role_a, p.role_b, p.same_series ? "1" : "0", fixed(p.dice, 4), of("long_axis_mm", true, 2), of("long_axis_mm", false, 2),
                                    of("volume_ml", true, 2), of("volume_ml", false, 2), protocol_of(p.case_id)});
    }
    auto unpaired = outputs::csv_line({"case", "reader", "lesion", "role", "why", "protocol"});
    for (const auto& u : comparison.unpaired) unpaired += outputs::csv_line({u.case_id, std::string(1, u.reader), u.lesion, u.role, u.why, protocol_of(u.case_id)});
    auto agreement = outputs::csv_line({"quantity", "pairs", "sd", "bias", "bias_low", "bias_high", "lower_limit", "lower_limit_low", "lower_limit_high", "upper_limit", "upper_limit_low", "upper_limit_high", "protocol"});
    for (const auto& row : comparison.agreement) {
        std::vector<std::string> cells{row.quantity, std::to_string(row.differences.pairs), fixed(row.differences.sd, 6)};
        for (const auto* estimate : {&row.differences.bias, &row.differences.lower, &row.differences.upper}) cells.insert(cells.end(), {fixed(estimate->value, 6), fixed(*estimate->low, 6), fixed(*estimate->high, 6)});
        cells.push_back(protocols);
        agreement += outputs::csv_line(cells);
    }
    if (const auto& k = comparison.kappa) {
        agreement += outputs::csv_line({"category_kappa", std::to_string(k->pairs), "", fixed(k->kappa.value, 6), fixed(*k->kappa.low, 6), fixed(*k->kappa.high, 6), "", "", "", "", "", "", protocols});
    }
    auto list = outputs::csv_line({"case", "timepoint_a", "timepoint_b", "date", "period", "category_a", "category_b", "reasons", "text", "decision", "adjudicator", "protocol"});
    for (const auto& d : comparison.discordances) list += outputs::csv_line({d.case_id, d.timepoint_a, d.timepoint_b, d.date, d.period, d.category_a, d.category_b, joined(d.reasons), d.text, "", "", protocol_of(d.case_id)});
    return {{"pairs.csv", pairs}, {"unpaired.csv", unpaired}, {"agreement.csv", agreement}, {"adjudication.csv", list}};
}

}  // namespace retromass::trial
