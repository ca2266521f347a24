#include <gtest/gtest.h>

#include "pipeline/run/describe.h"

namespace retromass {
namespace {

/// One lesion described at the first of three time points, with the statuses it has at each.
std::vector<outputs::TimepointResult> described(std::vector<response::LesionStatus> statuses, std::optional<std::size_t> again = std::nullopt)
{
    run::CaseFile file;
    file.lesions.resize(1);
    file.lesions[0].lesion.id = "T1";
    std::vector<outputs::TimepointResult> out;
    for (std::size_t t = 0; t < statuses.size(); ++t) {
        outputs::TimepointResult timepoint;
        timepoint.id = "t" + std::to_string(t);
        timepoint.lesions.resize(1);
        timepoint.lesions[0].lesion = "T1";
        timepoint.lesions[0].status = statuses[t];
        if (t == 0) file.lesions[0].timepoints[timepoint.id].description = outputs::Description{{{"abuts", "left kidney"}}, "", "left", ""};
        if (t == again) file.lesions[0].timepoints[timepoint.id].description = outputs::Description{{}, "", "none", ""};
        out.push_back(std::move(timepoint));
    }
    run::describe(file, out);
    return out;
}

}  // namespace

using response::LesionStatus;

TEST(Describe, LaterTimePointsHaveTheLastStatementForConfirmationOnly)
{
    const auto timepoints = described({LesionStatus::measured, LesionStatus::measured, LesionStatus::measured}, 1);
    EXPECT_EQ(timepoints[0].lesions[0].described_at, "");
    EXPECT_EQ(timepoints[1].lesions[0].described_at, "");
    EXPECT_EQ(timepoints[1].lesions[0].description->hydronephrosis, "none");
    EXPECT_TRUE(timepoints[1].lesions[0].description->relations.empty());  // what is stated anew is stated as a whole
    EXPECT_EQ(timepoints[2].lesions[0].described_at, "t1");
}

TEST(Describe, ALesionThatIsGoneTouchesNothing)
{
    for (const auto gone : {LesionStatus::absent, LesionStatus::resected, LesionStatus::merged}) {
        EXPECT_FALSE(described({LesionStatus::measured, gone})[1].lesions[0].description);
    }
    EXPECT_TRUE(described({LesionStatus::measured, LesionStatus::not_evaluable})[1].lesions[0].description);  // nobody says it is gone
}

}  // namespace retromass
