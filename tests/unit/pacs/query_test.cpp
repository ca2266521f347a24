#include "pipeline/pacs/query.h"

#include <gtest/gtest.h>

#include <chrono>

namespace retromass::pacs {
namespace {

Match study()
{
    Match out;
    out.patient_id = "4711";
    out.patient_name = "DOE^JANE";
    out.study_date = "2013-02-05";
    out.study_description = "CT ABDOMEN";
    out.modalities = "CT\\SR";
    out.accession_number = "A9";
    return out;
}

bool fits_with(void (*change)(Query&))
{
    Query query;
    change(query);
    return fits(query, study());
}

TEST(Matches, TakesStarsAndQuestionMarksAndNoCase)
{
    for (const auto& [pattern, text] : {std::pair{"*", ""}, {"DOE*", "Doe^Jane"}, {"*jane", "DOE^JANE"}, {"D?E*", "DOE^JANE"}, {"*O*A*E", "DOE^JANE"}, {"", ""}}) EXPECT_TRUE(matches(pattern, text)) << pattern;
    for (const auto& [pattern, text] : {std::pair{"DOE", "DOE^JANE"}, {"?", ""}, {"*X*", "DOE"}, {"DOE?", "DOE"}, {"", "D"}}) EXPECT_FALSE(matches(pattern, text)) << pattern;
}

TEST(Matches, ReturnsSoonOnPatternsThatMakeOthersTryEverything)
{
    std::string pattern;
    for (int i = 0; i < 200; ++i) pattern += "a*";
    EXPECT_FALSE(matches(pattern + "b", std::string(2000, 'a')));
}

TEST(Fits, LooksAgainAtWhatThePeerReturned)
{
    EXPECT_TRUE(fits_with([](Query&) {}));
    EXPECT_TRUE(fits_with([](Query& q) { q.patient_name = "doe*"; }));
    EXPECT_FALSE(fits_with([](Query& q) { q.patient_name = "SMITH*"; }));
    EXPECT_FALSE(fits_with([](Query& q) { q.patient_id = "471"; }));
    EXPECT_FALSE(fits_with([](Query& q) { q.accession_number = "B*"; }));
    EXPECT_TRUE(fits_with([](Query& q) { q.modality = "SR"; }));
    EXPECT_FALSE(fits_with([](Query& q) { q.modality = "MR"; }));
    EXPECT_FALSE(fits_with([](Query& q) { q.description = "CHEST"; }));
    EXPECT_TRUE(fits_with([](Query& q) { q.from = q.to = parse_date("2013-02-05"); }));
    EXPECT_FALSE(fits_with([](Query& q) { q.from = parse_date("2013-02-06"); }));
    EXPECT_FALSE(fits_with([](Query& q) { q.to = parse_date("2013-02-04"); }));
    EXPECT_TRUE(fits_with([](Query& q) { q.patient_name = "D\xC3\x96*"; })) << "accents are the peer's to compare";
}

TEST(KeysOf, WritesARangeOfDatesAsTheStandardDoes)
{
    Query query;
    const auto range = [&] { return keys_of(query, Depth::study).at(tag::study_date); };
    EXPECT_EQ(range(), "");
    query.from = parse_date("2013-02-05");
    EXPECT_EQ(range(), "20130205-");
    query.to = parse_date("2013-03-01");
    EXPECT_EQ(range(), "20130205-20130301");
    query.from = query.to;
    EXPECT_EQ(range(), "20130301");
    query.from.reset();
    EXPECT_EQ(range(), "-20130301");
}

TEST(MatchOf, HoldsWhatIsSaidAndNothingElse)
{
    const auto match = match_of({{tag::patient_id, "4711"}, {tag::study_date, "20130205"}, {tag::series_instance_uid, "1.2"}, {tag::instances_in_study, "9"}, {tag::instances_in_series, "12 "}});
    EXPECT_EQ(match.study_date, "2013-02-05");
    EXPECT_FALSE(match.instances.has_value()) << "'12 ' is no number";
    EXPECT_EQ(match_of({{tag::instances_in_study, "9"}}).instances, 9);
    EXPECT_FALSE(match_of({{tag::instances_in_study, "-9"}}).instances.has_value());
    EXPECT_EQ(match_of({{tag::study_date, "yesterday"}}).study_date, "");
}

TEST(IsUid, KeepsEverythingElseOutOfPaths)
{
    for (const char* good : {"1", "1.2.840.10008", "2.25.329800735698586629295641978511506172918"}) EXPECT_TRUE(is_uid(good)) << good;
    for (const char* bad : {"", ".", "..", ".1", "1.", "1..2", "1/2", "../1", "1.2\\1.3", "a", "1.2 "}) EXPECT_FALSE(is_uid(bad)) << bad;
    EXPECT_TRUE(is_uid(std::string(64, '1')));
    EXPECT_FALSE(is_uid(std::string(65, '1')));
}

}  // namespace
}  // namespace retromass::pacs
