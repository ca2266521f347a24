#include <set>

#include "tests/unit/response/vectors.h"

// What the vector tests would not look at must not lie there unnoticed: an unknown file, column or policy fails.

namespace retromass::response {
namespace {

/// The columns each vector test reads, and those that only explain.
const std::map<std::string, std::set<std::string>>& known_columns()
{
    static const std::map<std::string, std::set<std::string>> columns{
        {"baseline_selection.csv", {"candidates", "expected_targets", "expected_sum_mm"}},
        {"bor.csv", {"policy", "ref_date", "series", "confirm", "sd_min_days", "confirm_min_days", "max_ne", "accept_sd", "expected_bor", "expected_date"}},
        {"choi.csv", {"base_size_mm", "cur_size_mm", "base_hu", "cur_hu", "all_disappeared", "new_lesion", "nontarget_pd", "intratumoral_nodule", "expected_choi", "expected_mchoi"}},
        {"irecist_ibor.csv", {"itpr_series", "expected_ibor"}},
        {"irecist_tp.csv", {"baseline_sum_mm", "baseline_nontarget", "timepoints", "expected_itpr", "expected_ipd_day"}},
        {"kinetics.csv", {"quantity", "inputs", "expected", "unit", "rel_tol"}},
        {"measurability.csv", {"kind", "long_axis_mm", "short_axis_mm", "slice_mm", "modality", "expected"}},
        {"target_lesions.csv", {"baseline_lesions", "followups", "expected_sums_mm", "expected_target_response"}},
        {"target_sums.csv", {"baseline_sum_mm", "nadir_sum_mm", "current_sum_mm", "prior_pr", "expected_per_timepoint", "expected_carry_forward", "pct_from_baseline", "pct_from_nadir",
                             "abs_from_nadir_mm", "naive_double_trap", "failing_double_formulas"}},
        {"tp_overall.csv", {"target", "nontarget", "new_lesion", "expected"}},
        {"tte.csv", {"start_date", "series", "death_date", "death_cause", "new_therapy_date", "missed_rule_interval_days", "confirm", "pfs_event", "pfs_date", "pfs_days", "pfs_months",
                     "ttp_event", "ttp_date", "ttp_days", "dor_start", "dor_event", "dor_date", "dor_days"}},
        {"volumetric.csv", {"baseline_volume", "nadir_volume", "current_volume", "expected_exact_sphere", "expected_65_73", "expected_66_73", "expected_ellipsoid_30_20"}},
        {"who.csv", {"baseline", "nadir", "current", "new_lesion", "expected_perlesion_pd", "expected_spd_pd"}},
    };
    return columns;
}

const std::set<std::string> kExplaining{"id", "source", "provenance", "ambiguous", "notes"};

/// What a folder of vectors holds that no test would judge, one line each.
std::vector<std::string> unjudged(const std::filesystem::path& folder)
{
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const auto file = entry.path().filename().string();
        if (entry.path().extension() != ".csv") continue;
        const auto known = known_columns().find(file);
        if (known == known_columns().end()) {
            out.push_back("unknown file " + file);
            continue;
        }
        const auto rows = test::read_rows(entry.path());
        if (rows.empty()) out.push_back(file + " holds no row");
        std::set<std::string> ids;
        for (const auto& row : rows) {
            const auto id = row.contains("id") ? row.at("id") : std::string();
            if (id.empty() || !ids.insert(id).second) out.push_back(file + ": a row without an id of its own: '" + id + "'");
            if (row.contains("ambiguous") && row.at("ambiguous") != "0" && row.at("ambiguous") != "1") out.push_back(file + " " + id + ": ambiguous is " + row.at("ambiguous"));
            const std::set<std::string> policies{"COMMON", "ADMIRALONCO", "RECIST_T3", "RECIST_T3_CR_REREAD_AS_PR", "ADMIRALONCO_NO_PD_CUT"};
            if (row.contains("policy") && !policies.contains(row.at("policy"))) out.push_back(file + " " + id + ": unknown policy " + row.at("policy"));
        }
        if (rows.empty()) continue;
        for (const auto& [column, unused] : rows.front()) {
            if (!known->second.contains(column) && !kExplaining.contains(column)) out.push_back(file + ": unknown column " + column);
        }
        for (const auto& column : known->second) {
            if (!rows.front().contains(column)) out.push_back(file + ": no column " + column);
        }
    }
    return out;
}

TEST(ResponseVectors, HoldNothingThatNoTestJudges)
{
    RETROMASS_NEEDS_VECTORS();
    for (const auto& complaint : unjudged(test::vectors_folder())) ADD_FAILURE() << complaint;
}

TEST(VectorFiles, AnUnknownFileColumnAndPolicyAreFound)
{
    const auto folder = std::filesystem::temp_directory_path() / ("retromass-vectors-" + std::to_string(std::hash<std::string>{}(testing::UnitTest::GetInstance()->current_test_info()->name())));
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "someday.csv") << "id,x\nA,1\n";
    std::ofstream(folder / "who.csv") << "id,baseline,nadir,current,new_lesion,expected_perlesion_pd,expected_spd_pd,weight,ambiguous\nW1,A:1x1,A:1x1,A:1x1,0,SD,SD,3,2\n";
    std::ofstream(folder / "bor.csv") << "id,policy,ref_date,series,confirm,sd_min_days,confirm_min_days,max_ne,accept_sd,expected_bor,expected_date\nB1,HOUSE,2024-01-01,,N,42,28,1,0,NE,\n";
    const auto complaints = unjudged(folder);
    std::filesystem::remove_all(folder);
    const std::set<std::string> found(complaints.begin(), complaints.end());
    EXPECT_EQ(found, (std::set<std::string>{"unknown file someday.csv", "who.csv: unknown column weight", "who.csv W1: ambiguous is 2", "bor.csv B1: unknown policy HOUSE"}));
}

}  // namespace
}  // namespace retromass::response
